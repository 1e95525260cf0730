internal import ChannelzMessages
public import SumCore
internal import SwiftProtobuf
internal import Synchronization

/// What a server tells about itself by `grpc.channelz.v1` (grpc/proposal A14): how its calls ended, and the same of each
/// open connection.
///
/// It is an observer of the server that it tells of, and has the methods for another: who may read them learns the
/// addresses of all clients, so they belong on a listener for operators only.
///
/// Of calls, those that have succeeded and failed are read before those that were started. So the difference is never
/// negative, and is the number of those that are open.
public final class Channelz: ServerObserver {
    /// Ids of everything in the process, of which no two are the same.
    private static let lastID = Atomic<Int64>(0)

    static func makeID() -> Int64 { lastID.add(1, ordering: .relaxed).newValue }

    let id = Channelz.makeID()
    let name: String
    let calls = ChannelzCounts()
    private let sockets = Mutex<[Int64: ChannelzSocket]>([:])
    private let listeners = Mutex<[(id: Int64, address: String)]>([])

    /// - Parameter name: that of the server, for people.
    public init(name: String) {
        self.name = name
    }

    /// The server listens on these addresses.
    public func listening(at addresses: [String]) {
        listeners.withLock { $0 = addresses.map { (Self.makeID(), $0) } }
    }

    public func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)? {
        let socket = ChannelzSocket(peer, of: self)
        sockets.withLock { $0[socket.id] = socket }
        return socket
    }

    func remove(_ socket: ChannelzSocket) {
        sockets.withLock { $0[socket.id] = nil }
    }

    // MARK: Reading

    var server: Grpc_Channelz_V1_Server {
        .with { server in
            server.ref.serverID = id
            server.ref.name = name
            let counts = calls.read()
            server.data.callsSucceeded = counts.succeeded
            server.data.callsFailed = counts.failed
            server.data.callsStarted = counts.started
            if let time = counts.lastStarted { server.data.lastCallStartedTimestamp = time }
            server.listenSocket = listeners.withLock { $0 }.map { listener in
                .with {
                    $0.socketID = listener.id
                    $0.name = listener.address
                }
            }
        }
    }

    /// The ids of connections from `start` on, at most `limit` of them, in order.
    func page(from start: Int64, limit: Int) -> (page: [ChannelzSocket], isLast: Bool) {
        let all = sockets.withLock { $0.values.filter { $0.id >= start } }
        return (Array(all.sorted { $0.id < $1.id }.prefix(limit)), all.count <= limit)
    }

    /// - Returns: nil if there is no such socket, or no longer.
    func socket(_ id: Int64) -> Grpc_Channelz_V1_Socket? {
        if let socket = sockets.withLock({ $0[id] }) { return socket.message }
        guard let listener = listeners.withLock({ $0.first { $0.id == id } }) else { return nil }
        return .with { socket in
            socket.ref.socketID = id
            socket.ref.name = listener.address
            socket.local = .init(listener.address)
        }
    }
}
