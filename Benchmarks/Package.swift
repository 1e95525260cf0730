// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what ships neither builds this nor depends on it.
let package = Package(
    name: "sum-benchmarks",
    dependencies: [
        .package(name: "sum", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .executableTarget(
            name: "sum-bench",
            dependencies: [
                .product(name: "SumCore", package: "sum"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
