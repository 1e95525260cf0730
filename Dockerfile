# The tools in a small image. Build: docker build -t sum .    Run: docker run --rm -p 50051:50051 sum

FROM swift:6.3-bookworm AS build
WORKDIR /src
# Versions are not pinned: the newest of Debian 12 has the fixes. The libraries named beside the headers go into the image.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends \
        ca-certificates libc6 libgcc-s1 libnghttp2-dev pkg-config zlib1g zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
# The dependencies change rarely, so they are fetched in a layer of their own.
COPY Package.swift ./
RUN mkdir -p Sources/CMalloc Sources/CNghttp2 Sources/CProgram Sources/CZlib Sources/SumCore Sources/SumTelemetry Sources/SumLifecycle Sources/OTLPMessages Sources/ChannelzMessages Sources/sum-server Sources/sum-client \
        Tests/ScriptedPeers Tests/SumCoreTests Tests/SumTelemetryTests Tests/CommandTests/Foreign Tests/Fuzzing/Sources/FuzzTargets Tests/Stubs/Odd Tests/Stubs/Shared \
    && swift package resolve
COPY Sources Sources
COPY scripts/build-release scripts/hot-functions scripts/image-root scripts/link-tools scripts/
# --build-arg COMMIT=$(git rev-parse --short=12 HEAD): what --version says
ARG COMMIT=""
RUN SUM_COMMIT=$COMMIT scripts/build-release --product sum-server \
    && SUM_COMMIT=$COMMIT scripts/build-release --product sum-client \
    && scripts/image-root /image

# Nothing but the program and the libraries that it is linked with. They stay dynamic: a static program would be smaller by
# a fifth, but it could not be loaded at a random address, and scanners could not see the versions of its libraries.
FROM scratch
COPY --from=build /image/ /
ARG COMMIT=""
LABEL org.opencontainers.image.title="sum" \
      org.opencontainers.image.description="gRPC server and client that add streams of numbers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="$COMMIT"
# As numbers, with which Kubernetes can verify that it is not root. Any other user will do as well.
USER 65532:65532
EXPOSE 50051
# It finds the server by its environment and command line.
HEALTHCHECK --interval=10s --timeout=3s CMD ["/usr/bin/sum-server", "--check"]
ENTRYPOINT ["/usr/bin/sum-server"]
