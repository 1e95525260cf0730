@testable import SumCore

extension ServerCallContext {
    /// The context of a call of SumNumbers, for a handler without a connection.
    static func sample(
        maxMessageSize: Int = 4 << 20, compression: GRPCCompression = .identity,
        acceptEncoding: String = ""
    ) -> ServerCallContext {
        ServerCallContext(
            head: CallHead(path: SumNumbers.path, acceptEncoding: acceptEncoding), metadata: GRPCMetadata(),
            timeout: nil, peer: Peer(address: "test"),
            maxMessageSize: maxMessageSize, compression: compression, deadline: nil, post: { _ in })
    }
}
