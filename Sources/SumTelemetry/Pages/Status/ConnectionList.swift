public import SumCore
internal import Synchronization

/// The connections of a server that are open, for a page that shows them.
public final class ConnectionList: ServerObserver {
    /// An open connection.
    struct Entry: Sendable {
        var peer: Peer
        var opened: ContinuousClock.Instant
        /// Calls that have ended.
        var calls: Int
        /// Numbers that have arrived.
        var numbers: Int
    }

    private let open = Mutex<[ObjectIdentifier: OpenConnection]>([:])

    /// Creates a list; make it an observer of the server.
    public init() {}

    public func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)? {
        let connection = OpenConnection(peer, in: self)
        open.withLock { $0[ObjectIdentifier(connection)] = connection }
        return connection
    }

    fileprivate func remove(_ connection: OpenConnection) {
        open.withLock { $0[ObjectIdentifier(connection)] = nil }
    }

    /// Those that have been open longest.
    ///
    /// - Parameter limit: how many.
    /// - Returns: also the number of all.
    func oldest(_ limit: Int) -> (entries: [Entry], count: Int) {
        let all = open.withLock { Array($0.values) }
        let oldest = all.sorted { $0.opened < $1.opened }.prefix(limit)
        return (oldest.map(\.entry), all.count)
    }
}

/// Counts what a connection has carried, on its event loop; anybody may read it.
private final class OpenConnection: ServerConnectionObserver, Sendable {
    let observesCalls = true
    let observesMessages = true
    let opened = ContinuousClock.now
    private let peer: Peer
    private let list: ConnectionList
    private let calls = Atomic(0)
    private let numbers = Atomic(0)

    init(_ peer: Peer, in list: ConnectionList) {
        (self.peer, self.list) = (peer, list)
    }

    func callEnded(_ call: ServerCallRecord) {
        calls.wrappingAdd(1, ordering: .relaxed)
    }

    func messagesReceived(_ count: Int64, of call: ServerCallStart) {
        guard call.path == SumNumbers.path else { return }
        numbers.wrappingAdd(Int(clamping: count), ordering: .relaxed)
    }

    func closed(_ connection: ServerConnectionRecord) {
        list.remove(self)
    }

    var entry: ConnectionList.Entry {
        ConnectionList.Entry(
            peer: peer, opened: opened, calls: calls.load(ordering: .relaxed),
            numbers: numbers.load(ordering: .relaxed))
    }
}
