// swift-tools-version: 6.1
import PackageDescription

let dependencies: [Target.Dependency] = [
    "Stubs", .product(name: "GRPCCore", package: "grpc-swift-2"),
    .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
]

// The programs of docs/comparison.md on grpc-swift-2.
let package = Package(
    name: "hello-grpc-swift",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
    ],
    targets: [
        .executableTarget(name: "hello-server", dependencies: dependencies),
        .executableTarget(name: "hello-client", dependencies: dependencies),
        .executableTarget(name: "hello-load", dependencies: dependencies),
        // hello.grpc.swift is what protoc-gen-grpc-swift-2 of grpc-swift-protobuf 2.4.1 generates with Visibility=Package. To run
        // it at each build, as the library's tutorial does, would mean to compile protoc.
        .target(
            name: "Stubs",
            dependencies: [
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
            ]),
    ]
)
