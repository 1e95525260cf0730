// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "tutorial",
    dependencies: [
        .package(name: "sum", path: "../.."),
        .package(path: "../../Tools/protoc-gen-sum-swift"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .target(
            name: "Numbers",
            dependencies: [
                .product(name: "SumCore", package: "sum"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]),
        .executableTarget(name: "server", dependencies: ["Numbers"]),
        .executableTarget(name: "client", dependencies: ["Numbers"]),
    ],
    swiftLanguageModes: [.v6]
)
