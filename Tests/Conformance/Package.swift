// swift-tools-version: 6.2
import PackageDescription

let rules: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .strictMemorySafety(),
]

/// The two programs that the runner of github.com/connectrpc/conformance tests: a package of its own, so that what
/// ships neither builds this nor depends on it. `scripts/conformance` builds and runs it.
let package = Package(
    name: "sum-conformance",
    dependencies: [
        .package(name: "sum", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .target(
            name: "ConformanceMessages",
            dependencies: [
                .product(name: "SumCore", package: "sum"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: rules),
        .executableTarget(
            name: "conformance-server",
            dependencies: [
                "ConformanceMessages",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SumCore", package: "sum"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: rules),
        .executableTarget(
            name: "conformance-client",
            dependencies: [
                "ConformanceMessages",
                .product(name: "SumCore", package: "sum"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: rules),
    ],
    swiftLanguageModes: [.v6]
)
