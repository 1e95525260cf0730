internal import NIOCore
internal import Tracing

/// What the observers of a server want to know of one call, from its beginning to its record. Calls that nobody
/// observes have none.
final class CallObservation {
    private var start: ServerCallStart
    private let began: NIODeadline
    private let observers: [any ServerCallObserver]
    /// Are told of messages while the call goes on.
    private let messageObservers: [any ServerConnectionObserver]
    /// Messages that they have been told of.
    private var reported: Int64 = 0
    /// When the status was known.
    private var answered: NIODeadline?
    private var hasHandler = false
    /// The stream has ended with our status.
    var wasAnswered = false

    /// Finds messages in what arrives and what is sent; nil while there is no need to.
    private var received: MessageScanner?
    private var sent: MessageScanner?
    /// How many messages to find in each direction.
    private var scanLimit: Int64

    init(
        _ start: ServerCallStart, began: NIODeadline, observers: [any ServerCallObserver],
        messageObservers: [any ServerConnectionObserver] = []
    ) {
        self.start = start
        self.began = began
        self.observers = observers
        self.messageObservers = messageObservers
        scanLimit = 0
        for observer in observers { scanLimit = max(scanLimit, Int64(observer.messageLimit)) }
        if scanLimit > 0 { (received, sent) = (MessageScanner(), MessageScanner()) }
    }

    /// The first that an observer has.
    var instrumentation: InstrumentationContext? {
        for observer in observers {
            if let context = observer.instrumentation { return context }
        }
        return nil
    }

    /// The server knows who makes the call.
    func identify(_ principal: String) {
        // Only a change costs the call memory of its own.
        if start.peer.principal != principal { start.values.peer.principal = principal }
    }

    /// The call has a handler. Messages are counted here if it does not count them.
    func begin(with handler: any ServerCallHandler) {
        hasHandler = true
        guard handler.messageCounts == nil else { return }
        scanLimit = .max
        if received == nil { (received, sent) = (MessageScanner(), MessageScanner()) }
    }

    /// Whether it wants the bytes of messages.
    var findsMessages: Bool { received != nil }

    func receive(_ bytes: ByteBuffer) {
        guard received != nil else { return }
        received?.scan(bytes.readableBytesSpan, limit: scanLimit) { message in
            for observer in observers where message.number < observer.messageLimit {
                observer.messageReceived(message)
            }
        }
    }

    /// The handler has taken what has arrived.
    func progressed(_ handler: any ServerCallHandler) {
        guard !messageObservers.isEmpty else { return }
        let count = handler.messageCounts?.received ?? counts.received
        guard count > reported else { return }
        let new = count - reported
        reported = count
        for observer in messageObservers { observer.messagesReceived(new, of: start) }
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

    /// The ids of the first span that an observer has.
    private var trace: TraceContext? {
        for observer in observers {
            if let trace = observer.trace { return trace }
        }
        return nil
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
        // The clock of the answer may be ahead of that of the events.
        let duration = (max(now, answered ?? now) - began).nanoseconds
        return ServerCallRecord(
            start: start, reachedHandler: hasHandler, status: status, wasAnswered: wasAnswered,
            duration: .nanoseconds(duration),
            timeToStatus: .nanoseconds(answered.map { ($0 - began).nanoseconds } ?? duration),
            messages: counts ?? self.counts, bytesReceived: bytesReceived, bytesSent: bytesSent,
            connectionBytesReceived: connectionBytes, trace: trace)
    }

    func end(_ record: ServerCallRecord) {
        for observer in observers { observer.ended(record) }
    }
}
