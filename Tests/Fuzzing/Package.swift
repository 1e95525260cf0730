// swift-tools-version: 6.2
import PackageDescription

/// The fuzzer: a package of its own, since libFuzzer brings `main` and wants everything compiled for it.
/// `scripts/fuzz` builds and runs it. What they do with an input is in the target FuzzTargets, which belongs to the
/// tests too.
let package = Package(
    name: "sum-fuzzing",
    dependencies: [
        .package(name: "sum", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .target(
            name: "FuzzTargets",
            dependencies: [
                .product(name: "SumCore", package: "sum"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]),
        .executableTarget(
            name: "sum-fuzz", dependencies: ["FuzzTargets"],
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]),
    ],
    swiftLanguageModes: [.v6]
)
