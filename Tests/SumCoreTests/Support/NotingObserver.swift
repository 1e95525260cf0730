import Synchronization

@testable import SumCore

/// Notes what it is told of a server's connections, in order.
final class NotingObserver: ServerObserver {
    enum Note: Sendable {
        case opened(Peer)
        case began(String)
        case ended(ServerCallRecord)
        case refused(String)
        case goesAway(String, debug: String)
        case failed(ServerConnectionFailure)
        case closed(ServerConnectionRecord)

        /// What is told, without what is told of it.
        var name: String {
            switch self {
            case .opened: "opened"
            case .began: "began"
            case .ended: "ended"
            case .refused: "refused"
            case .goesAway: "goesAway"
            case .failed: "failed"
            case .closed: "closed"
            }
        }
    }

    private let observesConnections: Bool
    private let observesCalls: Bool
    private let list = Mutex<[Note]>([])

    init(observesConnections: Bool = true, observesCalls: Bool = true) {
        self.observesConnections = observesConnections
        self.observesCalls = observesCalls
    }

    var notes: [Note] { list.withLock { $0 } }
    var names: [String] { notes.map(\.name) }

    var endedCalls: [ServerCallRecord] {
        notes.compactMap { if case .ended(let call) = $0 { call } else { nil } }
    }

    var closedConnections: [ServerConnectionRecord] {
        notes.compactMap { if case .closed(let connection) = $0 { connection } else { nil } }
    }

    var failures: [ServerConnectionFailure] {
        notes.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
    }

    fileprivate func add(_ note: Note) {
        list.withLock { $0.append(note) }
    }

    func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)? {
        add(.opened(peer))
        return observesConnections ? Connection(self, observesCalls: observesCalls) : nil
    }

    private final class Connection: ServerConnectionObserver {
        private let observer: NotingObserver
        let observesCalls: Bool

        init(_ observer: NotingObserver, observesCalls: Bool) {
            self.observer = observer
            self.observesCalls = observesCalls
        }

        func callBegan(_ call: ServerCallStart) -> (any ServerCallObserver)? {
            observer.add(.began(call.path))
            return nil
        }
        func callEnded(_ call: ServerCallRecord) { observer.add(.ended(call)) }
        func requestRefused(_ reason: String) { observer.add(.refused(reason)) }
        func clientGoesAway(_ code: String, debug: String) { observer.add(.goesAway(code, debug: debug)) }
        func failed(_ failure: ServerConnectionFailure) { observer.add(.failed(failure)) }
        func closed(_ connection: ServerConnectionRecord) { observer.add(.closed(connection)) }
    }
}
