// swift-tools-version: 6.2
import PackageDescription

let core: Target.Dependency = .product(name: "SumCore", package: "sum")

// A package of its own, so that what ships neither builds this nor depends on it.
let package = Package(
    name: "sum-benchmarks",
    dependencies: [
        .package(name: "sum", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .executableTarget(
            name: "sum-bench",
            dependencies: [
                "BenchStubs", core, .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // What docs/comparison.md compares with the same programs on other libraries.
        .executableTarget(name: "hello-server", dependencies: ["BenchStubs", core]),
        .executableTarget(name: "hello-client", dependencies: ["BenchStubs", core]),
        .target(
            name: "BenchStubs",
            dependencies: [core, .product(name: "SwiftProtobuf", package: "swift-protobuf")]),
    ],
    swiftLanguageModes: [.v6]
)
