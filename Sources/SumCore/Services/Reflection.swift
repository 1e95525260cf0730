internal import FoundationEssentials
internal import NIOCore
public import SwiftProtobuf
internal import Synchronization

/// The standard reflection service, `grpc.reflection.v1.ServerReflection`, and the same under its older name
/// `v1alpha` (grpc/doc/server-reflection.md).
///
/// Tools ask it what a server hosts, and for the protos of that. Where its document leaves a choice, it
/// answers as grpc-go does.
public final class Reflection: Sendable {
    private typealias Request = Grpc_Reflection_V1_ServerReflectionRequest
    private typealias Response = Grpc_Reflection_V1_ServerReflectionResponse

    private static let versions = [
        "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
    ]

    /// Bytes of the longest request that is taken: names are not longer.
    private static let requestLimit = 4 << 10

    /// The services of this module, whose protos are embedded.
    static let embeddedServices = versions + [SumNumbers.service, Health.service]

    /// Those that are hosted and described.
    private let services: [String]
    /// Hosted services without a proto, which are not listed: tools would ask for it.
    public let undescribedServices: [String]
    private let descriptors: [Google_Protobuf_FileDescriptorProto]
    /// Nil until it is first asked for.
    private let index = Mutex<DescriptorIndex?>(nil)

    /// - Parameters:
    ///   - methods: what the server hosts beside reflection. Their services are listed, but for those without a proto,
    ///     of which a server warns when it starts.
    ///   - descriptors: the protos of services of your own, with what these import: what
    ///     `protoc --include_imports --descriptor_set_out` writes. Those of this module's services are known; of
    ///     two files with one name, the one given here counts.
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

    /// For a server to host.
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
        return "reflection has no descriptors of these services and does not list them: \(names)"
    }

    private func readyIndex() throws(GRPCStatus) -> DescriptorIndex {
        try index.withLock { index throws(GRPCStatus) in
            if let index { return index }
            let new = DescriptorIndex(descriptors + (try Self.embeddedDescriptors()))
            index = new
            return new
        }
    }

    /// The protos of this module's services.
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
            throw GRPCStatus(code: .invalidArgument, message: "the request asks for nothing known here")
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
    /// `package.Service`.
    fileprivate var service: String {
        String(path.dropFirst().prefix { $0 != "/" })
    }
}
