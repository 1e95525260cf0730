@testable import SumCore

extension ServerCallContext {
    /// The context of a call of SumNumbers, for a handler without a connection.
    static func sample(
        maximumMessageLength: Int = 4 << 20, compression: GRPCCompression = .identity,
        acceptedCompressions: Set<GRPCCompression> = [.identity]
    ) -> ServerCallContext {
        ServerCallContext(
            path: SumNumbers.path, metadata: GRPCMetadata(), timeout: nil, peer: "test",
            maximumMessageLength: maximumMessageLength, compression: compression,
            acceptedCompressions: acceptedCompressions, post: { _ in })
    }
}
