internal import NIOCore
internal import Tracing

/// What the observers of a server want to know of one call, from its beginning to its record. Calls that nobody
/// observes have none.
final class CallObservation {
    private let start: ServerCallStart
    private let began: NIODeadline
    private let observers: [any ServerCallObserver]
    /// Who makes the call, if the server knows it.
    var principal: String?
    /// When the status was known.
    private var answered: NIODeadline?
    private var hasHandler = false

    /// Finds messages in what arrives and what is sent; nil while there is no need to.
    private var received: MessageScanner?
    private var sent: MessageScanner?
    /// How many messages to find in each direction.
    private var scanLimit: Int64

    init(_ start: ServerCallStart, began: NIODeadline, observers: [any ServerCallObserver]) {
        self.start = start
        self.began = began
        self.observers = observers
        scanLimit = observers.reduce(0) { max($0, Int64($1.messageLimit)) }
        if scanLimit > 0 { (received, sent) = (MessageScanner(), MessageScanner()) }
    }

    /// The first that an observer has.
    var instrumentation: InstrumentationContext? {
        observers.lazy.compactMap(\.instrumentation).first
    }

    /// The call has a handler. Messages are counted here if it does not count them.
    func begin(with handler: any ServerCallHandler) {
        hasHandler = true
        guard handler.messageCounts == nil else { return }
        scanLimit = .max
        if received == nil { (received, sent) = (MessageScanner(), MessageScanner()) }
    }

    func receive(_ bytes: ByteBuffer) {
        guard received != nil else { return }
        received?.scan(bytes.readableBytesSpan, limit: scanLimit) { message in
            for observer in observers where message.number < observer.messageLimit {
                observer.messageReceived(message)
            }
        }
    }

    func send(_ bytes: ByteBuffer) {
        guard sent != nil else { return }
        sent?.scan(bytes.readableBytesSpan, limit: scanLimit) { message in
            for observer in observers where message.number < observer.messageLimit {
                observer.messageSent(message)
            }
        }
    }

    /// The status of the call is known. The first time counts.
    func answer(at now: NIODeadline) {
        if answered == nil { answered = now }
    }

    /// Messages that were found, for a handler that does not count them.
    private var counts: MessageCounts {
        scanLimit == .max
            ? MessageCounts(received: received?.count ?? 0, sent: sent?.count ?? 0) : MessageCounts()
    }

    /// The outcome of the call.
    ///
    /// - Parameter counts: as the call's handler has counted; nil if it does not, and for a call without handler.
    func record(
        _ status: GRPCStatus, counts: MessageCounts?, bytesReceived: Int, bytesSent: Int,
        connectionBytes: Int,
        at now: NIODeadline
    ) -> ServerCallRecord {
        var peer = start.peer
        if let principal { peer.principal = principal }
        let duration = (now - began).nanoseconds
        return ServerCallRecord(
            peer: peer, path: start.path, isHosted: start.isHosted, reachedHandler: hasHandler,
            authority: start.authority,
            userAgent: start.userAgent, timeout: start.timeout, status: status,
            duration: .nanoseconds(duration),
            timeToStatus: .nanoseconds(answered.map { ($0 - began).nanoseconds } ?? duration),
            messages: counts ?? self.counts, bytesReceived: bytesReceived, bytesSent: bytesSent,
            connectionBytesReceived: connectionBytes, trace: observers.lazy.compactMap(\.trace).first)
    }

    func end(_ record: ServerCallRecord) {
        for observer in observers { observer.ended(record) }
    }
}
