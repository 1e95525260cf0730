import Glibc

/// An address of 127.0.0.1 that does not respond: SYNs are dropped, as in a lost network.
///
/// It listens with a full queue, and accepts no connection.
public final class SilentAddress: Sendable {
    /// The address, such as `127.0.0.1:40000`.
    public let address: String
    private let listener: Int32
    private let queued: [Int32]

    public init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = ScriptedServer.listen(listener, queue: 0)
        guard port != 0 else { throw WireSocket.Failure(description: "cannot listen on 127.0.0.1") }
        address = "127.0.0.1:\(port)"
        // Linux admits one more than the queue holds. That one and the next fill it, however the size is rounded.
        queued = (0..<4).map { _ in
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            _ = withLoopbackAddress(port: port) { connect(client, $0, $1) }
            return client
        }
    }

    deinit {
        for descriptor in queued + [listener] { close(descriptor) }
    }
}
