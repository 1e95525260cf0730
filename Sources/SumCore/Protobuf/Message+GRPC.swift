internal import NIOCore
internal import SwiftProtobuf

extension Message {
    /// Encodes the message.
    ///
    /// - Throws: INTERNAL if that fails, for example for a message of 2 GiB.
    func serialized() throws(GRPCStatus) -> [UInt8] {
        do {
            return try serializedBytes()
        } catch {
            let reason =
                error as? BinaryEncodingError == .missingRequiredFields
                ? "required fields are missing" : "it is too large"
            throw GRPCStatus(
                code: .internalError, message: "a \(Self.protoMessageName) cannot be encoded: \(reason)")
        }
    }

    /// Decodes a message.
    ///
    /// - Throws: INTERNAL if `bytes` are not such a message (grpc/doc/statuscodes.md).
    init(received bytes: ByteBuffer) throws(GRPCStatus) {
        do {
            try self.init(serializedBytes: [UInt8](bytes.readableBytesView))
        } catch {
            throw GRPCStatus(
                code: .internalError,
                message: "a message is not a \(Self.protoMessageName): \(Self.words(for: error))")
        }
    }

    /// The text for an error of swift-protobuf.
    private static func words(for error: any Error) -> String {
        switch error as? BinaryDecodingError {
        case .truncated: "it ends within a field"
        case .invalidUTF8: "a string in it is not UTF-8"
        case .messageDepthLimit: "it is nested too deeply"
        default: "its encoding is malformed"
        }
    }
}
