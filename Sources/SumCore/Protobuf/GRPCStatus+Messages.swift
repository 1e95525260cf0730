public import SwiftProtobuf

/// The details of a status as messages: a `google.rpc.Status`, which gRPC sends as `grpc-status-details-bin`
/// (https://google.aip.dev/193).
extension GRPCStatus {
    /// Creates a status with details for programs, such as `Google_Rpc_BadRequest`.
    ///
    /// - Parameters:
    ///   - code: the kind of error.
    ///   - message: a text for people.
    ///   - details: any messages. One that cannot be encoded, since it has 2 GiB, is left out.
    public init(code: Code, message: String = "", details: [any Message]) {
        self.init(
            .with {
                $0.code = Int32(clamping: code.rawValue)
                $0.message = message
                $0.details = details.compactMap(Self.pack)
            })
    }

    /// Creates a status from a `google.rpc.Status`, which becomes its details unless it has none itself.
    public init(_ status: Google_Rpc_Status) {
        let bytes: [UInt8]? = status.details.isEmpty ? [] : try? status.serializedBytes()
        // Only a status of 2 GiB cannot be encoded, and nobody would accept one.
        self.init(code: Code(rawValue: Int(status.code)), message: status.message, details: bytes ?? [])
    }

    /// The details as a `google.rpc.Status`; nil if there are none, or if they are those of another code.
    public var detailedStatus: Google_Rpc_Status? {
        guard !details.isEmpty, let status = try? Google_Rpc_Status(serializedBytes: details),
            Int(status.code) == code.rawValue
        else { return nil }
        return status
    }

    /// The details of one type, in order. Those that cannot be decoded are left out.
    ///
    /// - Parameter type: such as `Google_Rpc_BadRequest`.
    public func details<Detail: Message>(of type: Detail.Type = Detail.self) -> [Detail] {
        let all = detailedStatus?.details ?? []
        return all.filter { $0.isA(type) }.compactMap { try? type.init(serializedBytes: $0.value) }
    }

    private static func pack(_ message: any Message) -> Google_Protobuf_Any? {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return try? .with {
            // The form of a type's URL that every implementation of gRPC uses.
            $0.typeURL = "type.googleapis.com/\(type(of: message).protoMessageName)"
            $0.value = try message.serializedBytes(partial: true, options: options)
        }
    }
}
