// swift-tools-version: 6.2
import PackageDescription

/// Every target is held to these rules.
let testRules: [SwiftSetting] = [
    // Imports show which layer a file belongs to (SE-0409, SE-0444); boxes show as `any` (SE-0335).
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

/// In what ships, each use of a pointer is marked `unsafe` as well (SE-0458).
let rules = testRules + [.strictMemorySafety()]

let package = Package(
    name: "sum",
    products: [
        .library(name: "SumCore", targets: ["SumCore"]),
        .library(name: "SumTelemetry", targets: ["SumTelemetry"]),
        .library(name: "SumLifecycle", targets: ["SumLifecycle"]),
        .executable(name: "sum-server", targets: ["sum-server"]),
        .executable(name: "sum-client", targets: ["sum-client"]),
    ],
    traits: [
        .default(enabledTraits: ["Lifecycle", "TLS", "Tools"]),
        .trait(name: "Lifecycle", description: "SumLifecycle, by swift-service-lifecycle"),
        // BoringSSL takes as long to compile as everything else.
        .trait(name: "TLS", description: "TLS, by SwiftNIO SSL; without it, the options for it are refused"),
        // SwiftPM fetches no package that only disabled traits need; so a program with SumCore need not have these.
        .trait(name: "Tools", description: "sum-server and sum-client, by swift-argument-parser"),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        // Any release that can run the code that is checked in; Tools/protoc-gen-sum-swift has the one that makes it.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CProgram"),
        .systemLibrary(
            name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "SumCore",
            dependencies: [
                "CMalloc",
                "CNghttp2",
                "CZlib",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: rules),
        // Targets of their own, since generated code does not mark what is unsafe.
        .target(
            name: "OTLPMessages",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            swiftSettings: testRules),
        .target(
            name: "ChannelzMessages",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            swiftSettings: testRules),
        .target(
            name: "SumTelemetry",
            dependencies: [
                "ChannelzMessages",
                "OTLPMessages",
                "SumCore",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: rules),
        // A target of its own, so that SumCore does not depend on ServiceLifecycle.
        .target(
            name: "SumLifecycle",
            dependencies: [
                "SumCore",
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle",
                    condition: .when(traits: ["Lifecycle"])),
            ],
            swiftSettings: rules),
        .executableTarget(
            name: "sum-server",
            dependencies: [
                "CMalloc",
                "CProgram",
                "SumCore",
                "SumTelemetry",
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser",
                    condition: .when(traits: ["Tools"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: rules),
        .executableTarget(
            name: "sum-client",
            dependencies: [
                "CProgram",
                "SumCore",
                "SumTelemetry",
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser",
                    condition: .when(traits: ["Tools"])),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: rules),
        .target(
            name: "ScriptedPeers",
            dependencies: [
                "CNghttp2",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            path: "Tests/ScriptedPeers", swiftSettings: testRules),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "SumCore",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Tests/Fuzzing/Sources/FuzzTargets", swiftSettings: testRules),
        // What the generator makes of odd protos, which must compile without a warning.
        .target(
            name: "SharedStubMessages",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            path: "Tests/Stubs/Shared", swiftSettings: testRules + [.treatAllWarnings(as: .error)]),
        .target(
            name: "OddStubs",
            dependencies: [
                "SharedStubMessages", "SumCore",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Tests/Stubs/Odd", swiftSettings: testRules + [.treatAllWarnings(as: .error)]),
        .testTarget(
            name: "SumCoreTests",
            dependencies: [
                "SumCore", "SumLifecycle", "ScriptedPeers", "FuzzTargets", "OddStubs",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle",
                    condition: .when(traits: ["Lifecycle"])),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: testRules),
        .testTarget(
            name: "SumTelemetryTests",
            dependencies: [
                "ChannelzMessages", "OTLPMessages", "ScriptedPeers", "SumCore", "SumTelemetry",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: testRules),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "CMalloc", "CProgram", "OddStubs", "SumCore", "SumTelemetry", "ScriptedPeers", "sum-client",
                "sum-server",
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser",
                    condition: .when(traits: ["Tools"])),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Foreign"],
            swiftSettings: testRules),
    ],
    swiftLanguageModes: [.v6]
)
