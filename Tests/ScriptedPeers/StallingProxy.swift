import Foundation
import Synchronization

/// Forwards bytes between a client and a server on 127.0.0.1 until it is told to drop them. Both sides then have an
/// open, dead connection, as in a lost network.
public final class StallingProxy: Sendable {
    /// The address, such as `127.0.0.1:40000`.
    public let address: String
    private let listener: Int32
    private let isStalled = Atomic(false)

    public init(to server: String) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = ScriptedServer.listen(listener)
        guard port != 0 else { throw WireSocket.Failure(description: "cannot listen on 127.0.0.1") }
        address = "127.0.0.1:\(port)"
        Thread.detachNewThread { [self, listener] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                guard let upstream = try? WireSocket.connect(to: server) else { continue }
                for (from, to) in [(client, upstream), (upstream, client)] {
                    Thread.detachNewThread { self.carry(from, to) }
                }
            }
        }
    }

    /// From now on, bytes are read and dropped.
    public func stall() {
        isStalled.store(true, ordering: .sequentiallyConsistent)
    }

    /// Ends its threads.
    public func end() {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// The file descriptors stay open until the process ends, so that neither side sees a close.
    private func carry(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = recv(from, &buffer, buffer.count, 0), count > 0 {
            if isStalled.load(ordering: .sequentiallyConsistent) { continue }
            guard send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        if !isStalled.load(ordering: .sequentiallyConsistent) { shutdown(to, Int32(SHUT_WR)) }
    }
}
