# Every target here works on a fresh Debian 12 machine with a Swift 6.3 toolchain.

.DEFAULT_GOAL := build
.PHONY: build run test examples conformance stress soak docs api-check public-api test-consumer fuzz asan tsan valgrind bench bench-check hot-functions lint generate check-generated deb test-packages static artifacts clean help

# Product by product: a full build would include protoc, which is part of swift-protobuf.
SWIFT_BUILD := scripts/build-release

# Foundation's Process reads beyond a buffer, and sometimes crashes, if more than 1,365 file descriptors are open
# (Process.run lists /proc/self/fd). Hundreds of concurrent tests had more.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH := 32

build: ## Build .build/release/sum-server and .build/release/sum-client (the default)
	@scripts/install-dependencies build
	@rm -f .build/without-tls
	$(SWIFT_BUILD) --product sum-server
	$(SWIFT_BUILD) --product sum-client

# Who has built nothing yet gets tools without TLS, in half the time: BoringSSL takes as long to compile as all else.
run: ## Start the server on a free port, stream numbers through the client, print the sum
	@scripts/install-dependencies build
	@[ -e .build/release/sum-server ] || { mkdir -p .build && touch .build/without-tls; }
	$(SWIFT_BUILD) $$([ ! -e .build/without-tls ] || echo --traits Tools) --product sum-server
	$(SWIFT_BUILD) $$([ ! -e .build/without-tls ] || echo --traits Tools) --product sum-client
	@scripts/run-demo

test: ## Run every test, including those with foreign gRPC peers
	@scripts/install-dependencies test
	scripts/build-foreign-peers
	scripts/test-tools
	swift build --build-tests
	scripts/run-tests

examples: ## Build each package of Examples in .build-examples, and try the command that generates their code
	@scripts/install-dependencies test
	scripts/build-examples

# RUNNER=path is the path of the runner; CONTRIBUTING.md says how to get it.
conformance: ## Run the connectrpc conformance suite against the library's server and client
	@scripts/install-dependencies build
	@scripts/conformance $(RUNNER)

# Tests one at a time, so that they do not measure each other.
stress: build ## Run the attacks and exhaustions of docs/reliability.md in full, against the release build
	swift build --build-tests
	SUM_STRESS=1 swift test --skip-build --no-parallel \
		--filter 'AttackTests|HeavyRequestTests|ConnectionCountTests|ExhaustionTests|DeadlineTests|NetworkFaultTests|RequestCaseTests|ClientFaultTests|EnvoyTests|SpreadTests|OTLPTests|MonitoringTests'

soak: build ## Run a server with mixed clients, some killed or cancelled, for SECONDS (120)
	@scripts/install-dependencies test
	scripts/build-foreign-peers
	PYTHONPATH=.build/foreign/python PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 Tests/Soak/soak.py .build/release $(or $(SECONDS),120)

# NAMES="server client" runs only these targets; SANITIZED_NGHTTP2=1 builds Debian's nghttp2 with the sanitizer too.
fuzz: ## Run each fuzz target for a minute (SECONDS=3600: an hour); fail if a fault is found
	@scripts/install-dependencies fuzz
	scripts/fuzz $(or $(SECONDS),60) $(NAMES)

asan: ## Run every test under the address sanitizer
	@scripts/install-dependencies test
	scripts/build-foreign-peers
	scripts/test-sanitized address

tsan: ## Run every test under the thread sanitizer
	@scripts/install-dependencies test
	scripts/build-foreign-peers
	scripts/test-sanitized thread

valgrind: ## Make a thousand calls to a server under valgrind
	@scripts/install-dependencies valgrind
	scripts/valgrind

# With a cached build plan, files added to SumCore would be missed.
SUM_BENCH := SUM_STRIP=-S $(SWIFT_BUILD) --package-path Benchmarks --disable-build-manifest-caching --product

# QUICK=1 makes fewer and shorter runs, and writes nothing. GRPC_SWIFT=1 builds the peers on grpc-swift-2 too, which takes as long
# as everything else.
bench: build ## Measure everything beside its peers; write docs/performance.md (QUICK=1: rough results in minutes)
	@scripts/install-dependencies bench
	Benchmarks/peers/build .build/bench $(if $(GRPC_SWIFT),grpc-swift)
	$(SUM_BENCH) sum-bench
	$(SUM_BENCH) hello-server
	$(SUM_BENCH) hello-client
	Benchmarks/bench.py $(if $(QUICK),--quick,--write)

# RENEW=1 writes the baseline.
bench-check: build ## Count what a call costs with valgrind; fail if it is more than 3 % above Benchmarks/baseline.json
	@scripts/install-dependencies bench
	$(SUM_BENCH) sum-bench
	Benchmarks/check.py $(if $(RENEW),--renew)

hot-functions: ## List the functions that every call runs, which a release build lays side by side
	@scripts/install-dependencies bench
	$(SUM_BENCH) sum-bench
	Benchmarks/order.py

lint: ## Check formatting and style
	swift format lint --strict --recursive Sources Tests Tools Examples Benchmarks/Sources Benchmarks/peers Package.swift Benchmarks/Package.swift

generate: ## Regenerate the Swift code from the protos, with the plugins of Tools/protoc-gen-sum-swift
	@scripts/install-dependencies test
	scripts/generate

check-generated: ## Fail unless the checked-in code equals the output of `make generate`
	@scripts/install-dependencies test
	scripts/generate --check

docs: ## Make a site of the libraries' documentation in .build/docs/site; fail if anything is wrong with it
	@scripts/install-dependencies build
	swift build --build-tests
	scripts/docs

# BASE=commit compares with another one.
api-check: ## Say what breaks programs that were written for the libraries at the commit before (BASE), unless it is listed
	@scripts/install-dependencies build
	scripts/api-check $(BASE)

public-api: ## List what is public in the libraries in docs/public-api, which a test compares
	@scripts/install-dependencies build
	swift build --build-tests
	scripts/public-api

test-consumer: ## Build and run a package outside of this one that depends on it, by path and by URL
	@scripts/install-dependencies build
	scripts/test-consumer

deb: build ## Build Debian packages of the tools in .build/packages, and check them with lintian
	@scripts/install-dependencies package
	scripts/build-deb
	lintian --allow-root --fail-on error,warning,info --info --tag-display-limit 0 .build/packages/*.deb

test-packages: ## Install, use, upgrade and purge these packages in fresh systems of Debian 12 and 13 (needs root)
	@scripts/install-dependencies package
	scripts/test-packages

static: build ## Link the tools in .build/static, with the C library in them
	scripts/link-tools static .build/static

artifacts: ## Build everything of a release in .build/release-artifacts (docs/releasing.md)
	scripts/release artifacts

clean: ## Remove everything that was built
	rm -rf .build .build-* Benchmarks/.build

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
