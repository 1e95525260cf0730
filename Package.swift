// swift-tools-version: 6.2
import PackageDescription

/// Every target is held to the same rules.
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
        .executable(name: "sum-server", targets: ["sum-server"]),
        .executable(name: "sum-client", targets: ["sum-client"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .target(
            name: "SumCore",
            dependencies: [
                "CNghttp2",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: rules),
        .executableTarget(
            name: "sum-server",
            dependencies: [
                "SumCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: rules),
        .executableTarget(
            name: "sum-client",
            dependencies: [
                "SumCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: rules),
        .testTarget(
            name: "SumCoreTests",
            dependencies: [
                "SumCore",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: testRules),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "SumCore", "sum-client", "sum-server",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: testRules),
    ],
    swiftLanguageModes: [.v6]
)
