@testable import SumCore

extension ServerCallContext {
    /// The context of a call, for a handler without a connection.
    static func sample(
        path: String = SumNumbers.path, maxMessageSize: Int = 4 << 20,
        compression: GRPCCompression = .identity,
        acceptEncoding: String = "", memory: CallMemory = CallMemory(),
        post: @escaping @Sendable (@escaping @Sendable () -> ServerReply) -> Void = { _ in }
    ) -> ServerCallContext {
        let values = Values(
            head: CallHead(path: path, acceptEncoding: acceptEncoding), peer: Peer(address: "test"),
            maxMessageSize: maxMessageSize, compression: compression, memory: memory,
            post: { _, reply in post(reply) })
        return ServerCallContext(Shared(values), streamID: 1, deadline: nil)
    }
}
