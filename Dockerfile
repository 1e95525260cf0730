# The tools in a small image. Build: docker build -t sum .    Run: docker run --rm -p 50051:50051 sum

FROM swift:6.3-bookworm AS build
WORKDIR /src
RUN apt-get update && apt-get install -y --no-install-recommends libnghttp2-dev zlib1g-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
# The dependencies change rarely, so they are fetched in a layer of their own.
COPY Package.swift ./
RUN mkdir -p Sources/CMalloc Sources/CNghttp2 Sources/CZlib Sources/SumCore Sources/SumTelemetry Sources/OTLPMessages Sources/ChannelzMessages Sources/sum-server Sources/sum-client \
        Tests/ScriptedPeers Tests/SumCoreTests Tests/SumTelemetryTests Tests/CommandTests/Foreign Tests/Fuzzing/Sources/FuzzTargets \
    && swift package resolve
COPY Sources Sources
COPY scripts/build-release scripts/
RUN scripts/build-release --product sum-server && scripts/build-release --product sum-client \
    && mkdir /tools && cp .build/release/sum-server .build/release/sum-client /tools/

FROM debian:bookworm-slim
# ca-certificates: the CAs that `sum-client --tls` believes unless it is given others.
# Older versions of libnghttp2 have known vulnerabilities: docs/security.md.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libnghttp2-14 zlib1g \
    && dpkg --compare-versions "$(dpkg-query -W -f '${Version}' libnghttp2-14)" ge 1.52.0-1+deb12u3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 65532 sum \
    && useradd --system --uid 65532 --gid 65532 --no-create-home --shell /usr/sbin/nologin sum
COPY --from=build /tools/ /usr/local/bin/
# As numbers, with which Kubernetes can verify that it is not root.
USER 65532:65532
EXPOSE 50051
HEALTHCHECK --interval=10s --timeout=3s CMD ["sum-client", "--health", "--connect-timeout", "1s"]
ENTRYPOINT ["sum-server"]
