import Foundation
import InMemoryLogging
import Logging
import NIOCore
import SwiftProtobuf
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ReflectionTests {
    private typealias Request = Grpc_Reflection_V1_ServerReflectionRequest
    private typealias Response = Grpc_Reflection_V1_ServerReflectionResponse
    private typealias File = Google_Protobuf_FileDescriptorProto

    /// One call that asks all these, in order.
    private func ask(
        _ requests: [Request], of reflection: Reflection, version: String = "v1"
    ) async throws -> (responses: [Response], status: GRPCStatus) {
        try await withClient(of: reflection.methods) { client in
            let call: GRPCClientCall<Request, Response> = client.call(
                "/grpc.reflection.\(version).ServerReflection/ServerReflectionInfo")
            for request in requests { try await call.send(request) }
            call.finish()
            var responses: [Response] = []
            while let response = try? await call.next() { responses.append(response) }
            return (responses, await call.ended().status)
        }
    }

    private func files(_ response: Response) throws -> [String] {
        try response.fileDescriptorResponse.fileDescriptorProto.map { try File(serializedBytes: $0).name }
    }

    private static let hosted = [SumNumbers.method()] + Health(services: []).methods

    @Test(
        "grpc-V5: v1 and v1alpha list the hosted services, including themselves",
        arguments: ["v1", "v1alpha"])
    func list(_ version: String) async throws {
        let request = Request.with {
            $0.host = "h"
            $0.listServices = "*"
        }
        let (responses, status) = try await ask([request], of: Reflection(of: Self.hosted), version: version)
        #expect(status == .ok)
        let response = try #require(responses.first)
        #expect(
            response.listServicesResponse.service.map(\.name) == [
                "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection", "tutorial.NumberService",
            ])
        #expect(response.validHost == "h")
        #expect(response.originalRequest == request)
    }

    @Test("audit-S8: a service without descriptors is not listed, and a server warns of it when it starts")
    func undescribed() async throws {
        let own = GRPCMethod(path: "/own.Service/Method") { _ in NotingHandler() }
        let odd = GRPCMethod(path: "/odd.Service/Method") { _ in NotingHandler() }
        let described = File.with {
            ($0.name, $0.package) = ("own.proto", "own")
            $0.service = [.with { $0.name = "Service" }]
        }
        let reflection = Reflection(of: [own, odd], descriptors: .with { $0.file = [described] })
        #expect(reflection.undescribedServices == ["odd.Service"])
        let (responses, _) = try await ask([.with { $0.listServices = "" }], of: reflection)
        #expect(
            responses.first?.listServicesResponse.service.map(\.name) == [
                "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
                "own.Service",
            ])
        let log = InMemoryLogHandler()
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: 0)], methods: [own, odd] + reflection.methods,
            logger: Logger(label: "test") { _ in log })
        await server.shutdown(within: .seconds(60))
        #expect(log.entries.map(\.level) == [.warning])
        let warning = "\(log.entries.first?.message ?? "")"
        #expect(
            warning == "reflection has no descriptors for these services and does not list them: odd.Service")
    }

    @Test("audit-S8: the services of this module have descriptors")
    func embedded() throws {
        let files = try Reflection.embeddedDescriptors()
        let names = files.flatMap { file in file.service.map { "\(file.package).\($0.name)" } }
        #expect(Set(names).isSuperset(of: Reflection.embeddedServices))
        #expect(Reflection(of: Self.hosted).undescribedServices == [])
        #expect(Reflection(of: Self.hosted).methods.allSatisfy { $0.warning == nil })
    }

    @Test("grpc-V5: each kind of request gets its response in order, an unknown name NOT_FOUND")
    func kinds() async throws {
        let extensionOf = { (type: String) in
            Grpc_Reflection_V1_ExtensionRequest.with { ($0.containingType, $0.extensionNumber) = (type, 1) }
        }
        let requests: [Request.OneOf_MessageRequest] = [
            .fileByFilename("tutorial.proto"), .fileByFilename("x.proto"),
            .fileContainingSymbol("tutorial.NumberService.SumNumbers"),
            .fileContainingSymbol("grpc.reflection.v1alpha.ServerReflection"), .fileContainingSymbol("x\n"),
            .fileContainingExtension(extensionOf("tutorial.NumberRequest")),
            .allExtensionNumbersOfType("tutorial.NumberRequest"), .allExtensionNumbersOfType("x.X"),
        ]
        let (responses, status) = try await ask(
            requests.map { request in .with { $0.messageRequest = request } },
            of: Reflection(of: Self.hosted))
        #expect(status == .ok)
        #expect(responses.map(\.originalRequest.messageRequest) == requests)
        #expect(
            try responses.map(files) == [
                ["tutorial.proto"], [], ["tutorial.proto"], ["grpc/reflection/v1alpha/reflection.proto"], [],
                [], [], [],
            ])
        #expect(responses.map(\.errorResponse.errorCode) == [0, 5, 0, 0, 5, 5, 0, 5])
        #expect(
            responses.map(\.errorResponse.errorMessage).filter { !$0.isEmpty } == [
                "there is no file 'x.proto' here", "there is no symbol 'x\\n' here",
                "there is no extension 1 of 'tutorial.NumberRequest' here", "there is no type 'x.X' here",
            ])
        #expect(responses[6].allExtensionNumbersResponse.baseTypeName == "tutorial.NumberRequest")
    }

    @Test("grpc-V5: an empty request ends the call with INVALID_ARGUMENT")
    func nothing() async throws {
        let (responses, status) = try await ask([Request()], of: Reflection(of: []))
        #expect(responses.isEmpty)
        #expect(status.code == .invalidArgument)
    }

    @Test("grpc-V5: custom protos are returned with their imports, and only hosted services are listed")
    func ownDescriptors() async throws {
        let method = GRPCMethod.unary(path: "/own.Service/Call") { (_: Tutorial_NumberRequest, _) in
            Tutorial_NumberResponse()
        }
        let own = File.with { file in
            (file.name, file.package, file.dependency) = ("own.proto", "own", ["tutorial.proto"])
            file.service = [.with { $0.name = "Service" }]
        }
        let reflection = Reflection(of: [method], descriptors: .with { $0.file = [own] })
        let (responses, _) = try await ask(
            [.with { $0.fileContainingSymbol = "own.Service" }, .with { $0.listServices = "" }],
            of: reflection)
        #expect(try responses.map(files) == [["own.proto", "tutorial.proto"], []])
        let services = try #require(responses.last).listServicesResponse.service.map(\.name)
        #expect(services.contains("own.Service"))
        #expect(services.contains("tutorial.NumberService") == false)
    }

    @Test("grpc-V5: the embedded protos have exactly the hosted methods, with their kinds")
    func hostedMethods() throws {
        var kinds: [String: String] = [:]
        for file in try Reflection.embeddedDescriptors() {
            for service in file.service {
                for method in service.method {
                    let kind =
                        (method.clientStreaming ? "stream" : "one")
                        + (method.serverStreaming ? " to stream" : " to one")
                    kinds["/\(file.package).\(service.name)/\(method.name)"] = kind
                }
            }
        }
        #expect(
            kinds == [
                "/tutorial.NumberService/SumNumbers": "stream to one",
                "/grpc.health.v1.Health/Check": "one to one", "/grpc.health.v1.Health/List": "one to one",
                "/grpc.health.v1.Health/Watch": "one to stream",
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": "stream to stream",
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": "stream to stream",
            ])
        #expect(Set((Self.hosted + Reflection(of: []).methods).map(\.path)) == Set(kinds.keys))
    }

    @Test("grpc-V5: the embedded protos have the messages of the generated code")
    func generatedMessages() throws {
        let index = DescriptorIndex(try Reflection.embeddedDescriptors())
        let types: [any Message.Type] = [
            Tutorial_NumberRequest.self, Tutorial_NumberResponse.self,
            Grpc_Health_V1_HealthCheckRequest.self, Grpc_Health_V1_HealthCheckResponse.self,
            Grpc_Health_V1_HealthListRequest.self, Grpc_Health_V1_HealthListResponse.self,
            Request.self, Response.self,
        ]
        for type in types { #expect(!index.files(defining: type.protoMessageName).isEmpty) }
    }

    private static let protoc = "/usr/bin/protoc"

    @Test(
        "grpc-V5: the embedded protos are those of the services",
        .enabled(if: FileManager.default.isExecutableFile(atPath: protoc), "make test installs protoc"))
    func embeddedProtos() throws {
        let root = Repository.root
        let protos = root.appending(path: "Sources/Protos")
        let names = try FileManager.default.subpathsOfDirectory(atPath: protos.path)
            .filter { $0.hasPrefix("grpc/") && $0.hasSuffix(".proto") }
            // Channelz is on the listener for operators, which has no reflection.
            .filter { !$0.hasPrefix("grpc/channelz/") }
        let output = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pb")
        defer { try? FileManager.default.removeItem(at: output) }
        let process = try Process.run(
            URL(filePath: "/usr/bin/timeout"),
            arguments: [
                "30", Self.protoc, "-I", root.path, "-I", protos.path, "--include_imports",
                "--descriptor_set_out=\(output.path)", "tutorial.proto",
            ] + names)
        process.waitUntilExit()
        let files = try Google_Protobuf_FileDescriptorSet(serializedBytes: Data(contentsOf: output)).file
        let embedded = try Reflection.embeddedDescriptors()
        #expect(files.count == names.count + 1)
        #expect(files.sorted { $0.name < $1.name } == embedded.sorted { $0.name < $1.name })
    }
}
