import Glibc

/// An address of 127.0.0.1 that answers nothing: SYNs are dropped, as in a network that is gone.
///
/// It listens with a queue that is full, and accepts nobody.
public final class SilentAddress: Sendable {
    /// Such as `127.0.0.1:40000`.
    public let address: String
    private let listener: Int32
    private let queued: [Int32]

    public init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = ScriptedServer.listen(listener, queue: 0)
        guard port != 0 else { throw WireSocket.Failure(description: "cannot listen on 127.0.0.1") }
        address = "127.0.0.1:\(port)"
        // Linux lets one more in than the queue holds; that one and the next fill it, whatever is rounded.
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
