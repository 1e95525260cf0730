@testable import SumCore

extension ServerCallContext {
    /// The context of a call of SumNumbers, for a handler without a connection.
    static func sample(
        maxMessageSize: Int = 4 << 20, compression: GRPCCompression = .identity,
        acceptEncoding: String = ""
    ) -> ServerCallContext {
        ServerCallContext(
            path: SumNumbers.path, metadata: GRPCMetadata(), timeout: nil, peer: "test",
            maxMessageSize: maxMessageSize, compression: compression,
            acceptEncoding: acceptEncoding, deadline: nil, post: { _ in })
    }
}
