// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "tls-echo",
    dependencies: [
        .package(name: "sum", path: "../.."),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .executableTarget(
            name: "tls-echo",
            dependencies: [
                .product(name: "SumCore", package: "sum"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Sources")
    ],
    swiftLanguageModes: [.v6]
)
