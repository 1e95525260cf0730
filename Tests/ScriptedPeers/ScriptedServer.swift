import Foundation
import Synchronization

/// A server on a free port of 127.0.0.1 that does exactly what a script says, on a thread for each connection.
///
///     let server = try ScriptedServer { peer in
///         try peer.send(.settings(), .settingsAck)
///         _ = try peer.receive(.headers)
///         try peer.send(.headers(.response + .trailers(8, "no more"), on: 1, endStream: true))
///         _ = try peer.receiveAll()
///     }
///     ... let a client call server.address ...
///     try await server.end()
///
/// A connection closes when its script returns; most end with `receiveAll`, which waits for the client. Scripts check
/// with `#require`, which throws, because an expectation on this thread is not associated with its test.
public final class ScriptedServer: Sendable {
    /// The address, such as `127.0.0.1:40000`.
    public let address: String

    private let listener: Int32
    private let playing = DispatchGroup()
    private let failure = Mutex<(any Error)?>(nil)
    private let connectionCount = Mutex(0)

    /// - Parameter script: gets each connection and its number, counted from 0.
    public init(_ script: @escaping @Sendable (WireSocket, Int) throws -> Void) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = Self.listen(listener)
        address = "127.0.0.1:\(port)"
        Thread.detachNewThread { [self, listener] in
            var number = 0
            while case let descriptor = accept(listener, nil, nil), descriptor >= 0 {
                play(script, descriptor, number)
                number += 1
            }
            close(listener)
        }
        guard port != 0 else { throw WireSocket.Failure(description: "cannot listen on 127.0.0.1") }
    }

    public convenience init(_ script: @escaping @Sendable (WireSocket) throws -> Void) throws {
        try self.init { peer, _ in try script(peer) }
    }

    /// Connections accepted so far.
    public var connections: Int { connectionCount.withLock { $0 } }

    private func play(
        _ script: @escaping @Sendable (WireSocket, Int) throws -> Void, _ descriptor: Int32, _ number: Int
    ) {
        connectionCount.withLock { $0 += 1 }
        playing.enter()
        Thread.detachNewThread { [self] in
            defer { playing.leave() }
            do {
                try script(WireSocket(descriptor: descriptor, isServer: true), number)
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }

    /// - Returns: the port, or 0 if the system refuses.
    static func listen(_ listener: Int32, queue: Int32 = 16) -> UInt16 {
        guard withLoopbackAddress(port: 0, { bind(listener, $0, $1) }) == 0,
            Glibc.listen(listener, queue) == 0
        else { return 0 }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
        }
        return result == 0 ? UInt16(bigEndian: address.sin_port) : 0
    }

    /// Stops listening and waits for the scripts.
    ///
    /// - Throws: the first error of a script.
    public func end() async throws {
        stopListening()
        await withCheckedContinuation { continuation in
            playing.notify(queue: .global()) { continuation.resume() }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// New connections are refused from now on.
    public func stopListening() {
        shutdown(listener, Int32(SHUT_RDWR))
    }
}
