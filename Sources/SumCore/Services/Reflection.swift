internal import FoundationEssentials
internal import NIOCore
public import SwiftProtobuf
internal import Synchronization

/// The standard reflection service, `grpc.reflection.v1.ServerReflection`, also under its older name `v1alpha`
/// (grpc/doc/server-reflection.md).
///
/// It tells tools which services a server hosts, and gives them their protos. Where gRPC's document leaves a choice, it
/// follows grpc-go.
public final class Reflection: Sendable {
    private typealias Request = Grpc_Reflection_V1_ServerReflectionRequest
    private typealias Response = Grpc_Reflection_V1_ServerReflectionResponse

    private static let versions = [
        "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
    ]

    /// Bytes of the largest request accepted. Names are shorter.
    private static let requestLimit = 4 << 10

    /// The services of this module, whose descriptors are embedded.
    static let embeddedServices = versions + [SumNumbers.service, Health.service]

    /// The hosted services with descriptors.
    private let services: [String]
    /// The hosted services without descriptors, sorted. They are not listed, because tools would ask for the
    /// descriptors.
    public let undescribedServices: [String]
    private let descriptors: [Google_Protobuf_FileDescriptorProto]
    /// nil until it is first needed.
    private let index = Mutex<DescriptorIndex?>(nil)

    /// Creates the service.
    ///
    /// - Parameters:
    ///   - methods: the methods that the server hosts besides reflection. Their services are listed, except those
    ///     without descriptors, which `GRPCServer.start` logs as a warning.
    ///   - descriptors: the descriptors of services of your own, including their imports, as written by `protoc
    ///     --include_imports --descriptor_set_out`. Those of this module's services are known. If a file here has the
    ///     name of a known one, it replaces that.
    public init(of methods: [GRPCMethod], descriptors: Google_Protobuf_FileDescriptorSet = .init()) {
        let hosted = Set(methods.map(\.service)).union(Self.versions)
        let given = descriptors.file.flatMap { file in
            file.service.map { DescriptorIndex.join(file.package, $0.name) }
        }
        let described = hosted.intersection(Self.embeddedServices + given)
        services = described.sorted()
        undescribedServices = hosted.subtracting(described).sorted()
        self.descriptors = descriptors.file
    }

    /// The methods of both versions, for a server to host.
    public var methods: [GRPCMethod] {
        // The messages of the two versions are the same on the wire.
        Self.versions.map { service in
            var method = GRPCMethod.bidirectionalStreaming(path: "/\(service)/ServerReflectionInfo") {
                (requests: GRPCRequests<Request>, responses: GRPCResponses<Response>, _) in
                let index = try self.readyIndex()
                for try await request in requests {
                    try await responses.send(self.response(to: request, from: index))
                }
            }
            method.maxMessageSize = Self.requestLimit
            method.warning = warning
            return method
        }
    }

    private var warning: String? {
        guard !undescribedServices.isEmpty else { return nil }
        let names = undescribedServices.joined(separator: ", ")
        return "reflection has no descriptors for these services and does not list them: \(names)"
    }

    private func readyIndex() throws(GRPCStatus) -> DescriptorIndex {
        try index.withLock { index throws(GRPCStatus) in
            if let index { return index }
            let new = DescriptorIndex(descriptors + (try Self.embeddedDescriptors()))
            index = new
            return new
        }
    }

    /// The descriptors of this module's services.
    static func embeddedDescriptors() throws(GRPCStatus) -> [Google_Protobuf_FileDescriptorProto] {
        let bytes = Base64.decode(EmbeddedDescriptors.base64[...]) ?? []
        return try Google_Protobuf_FileDescriptorSet(received: ByteBuffer(bytes: bytes)).file
    }

    private func response(
        to request: Request, from index: DescriptorIndex
    ) throws(GRPCStatus) -> Response {
        var response = Response()
        response.validHost = request.host
        response.originalRequest = request
        switch request.messageRequest {
        case .listServices:
            response.listServicesResponse.service = services.map { name in .with { $0.name = name } }
        case .fileByFilename(let name):
            try response.answer(with: index.files(named: name), of: "file '\(name)'")
        case .fileContainingSymbol(let name):
            try response.answer(with: index.files(defining: name), of: "symbol '\(name)'")
        case .fileContainingExtension(let wanted):
            try response.answer(
                with: index.files(extending: wanted.containingType, number: wanted.extensionNumber),
                of: "extension \(wanted.extensionNumber) of '\(wanted.containingType)'")
        case .allExtensionNumbersOfType(let name):
            if let numbers = index.extensionNumbers(of: name) {
                response.allExtensionNumbersResponse.baseTypeName = name
                response.allExtensionNumbersResponse.extensionNumber = numbers
            } else {
                response.answerNotFound("type '\(name)'")
            }
        case nil:
            throw GRPCStatus(code: .invalidArgument, message: "the request has no known message_request")
        }
        return response
    }
}

extension Grpc_Reflection_V1_ServerReflectionResponse {
    fileprivate mutating func answer(
        with files: [Google_Protobuf_FileDescriptorProto], of what: String
    ) throws(GRPCStatus) {
        guard !files.isEmpty else { return answerNotFound(what) }
        for file in files {
            fileDescriptorResponse.fileDescriptorProto.append(Data(try file.serialized()))
        }
    }

    fileprivate mutating func answerNotFound(_ what: String) {
        errorResponse.errorCode = Int32(GRPCStatus.Code.notFound.rawValue)
        errorResponse.errorMessage = "there is no \(what.escapedForDisplay) here"
    }
}

extension GRPCMethod {
    /// The part `package.Service` of the path.
    fileprivate var service: String {
        String(path.dropFirst().prefix { $0 != "/" })
    }
}
