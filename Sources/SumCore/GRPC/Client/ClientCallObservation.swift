internal import NIOCore

/// What the observers of a client want to know of one call, from its beginning to its record. Calls that nobody observes
/// have none.
///
/// It belongs to the call, as `RetryingCall` describes, and has no lock of its own.
final class ClientCallObservation {
    /// What the request's side of a call has handed to its body, and what has come.
    struct Tally {
        /// Messages written so far, and their bytes.
        var messagesWritten: Int64 = 0
        var bytesWritten = 0
        var messagesReceived: Int64 = 0

        /// The messages in the first `byteCount` bytes. An estimate, unless these are all.
        func messages(in byteCount: Int) -> Int64 {
            guard byteCount < bytesWritten else { return messagesWritten }
            return Int64(Double(messagesWritten) * Double(byteCount) / Double(bytesWritten))
        }
    }

    /// An attempt that is running.
    private struct Attempt {
        var start: ClientAttemptStart
        var began: NIODeadline
        /// Bytes that earlier attempts have sent.
        var bytesBefore: Int
    }

    private let start: ClientCallStart
    private let began: NIODeadline
    private let observers: [any ClientObserver]
    private let callObservers: [any ClientCallObserver]
    private let messageLimit: Int64

    private var attempt: Attempt?
    private var attempts = 0
    private var lastPreviousAttempts = 0
    private var transparentRetries = 0
    private var hasWaited = false
    private var hasWaitedForAddresses = false
    /// When the last attempt ended; nil while one runs, and before the first.
    private var idleSince: NIODeadline?
    private var retryDelay = TimeAmount.zero
    private var counts = MessageCounts()
    private var bytesReceived = 0

    /// Find messages in what the attempt sends and receives.
    private var sent = MessageScanner()
    private var received = MessageScanner()

    init(_ start: ClientCallStart, began: NIODeadline, observers: [any ClientObserver]) {
        self.start = start
        self.began = began
        self.observers = observers
        callObservers = observers.compactMap { $0.callBegan(start) }
        messageLimit = callObservers.reduce(0) { max($0, Int64($1.messageLimit)) }
    }

    // MARK: Attempts

    /// There is no connection for the next attempt yet.
    ///
    /// - Parameter forAddresses: whether the addresses of the target are not known yet either.
    func wait(forAddresses: Bool) {
        hasWaited = true
        hasWaitedForAddresses = forAddresses
    }

    /// - Parameters:
    ///   - bytesSent: by earlier attempts.
    ///   - resolvedAt: when the addresses of the target were first known. Asked only of a call that waited for them.
    /// - Returns: the metadata to send.
    func beginAttempt(
        _ metadata: GRPCMetadata, previousAttempts: Int, on peer: Peer, bytesSent: Int,
        resolvedAt: @autoclosure () -> NIODeadline?, at now: NIODeadline
    ) -> GRPCMetadata {
        if let idleSince { retryDelay = retryDelay + (now - idleSince) }
        idleSince = nil
        let isTransparentRetry = attempts > 0 && previousAttempts == lastPreviousAttempts
        var start = ClientAttemptStart(
            number: attempts, previousAttempts: previousAttempts, isTransparentRetry: isTransparentRetry,
            hadToWait: hasWaited, peer: peer, metadata: metadata)
        if hasWaitedForAddresses, let resolved = resolvedAt() {
            start.timeSinceResolution = .nanoseconds(max(now - resolved, .zero).nanoseconds)
        }
        attempts += 1
        lastPreviousAttempts = previousAttempts
        if isTransparentRetry { transparentRetries += 1 }
        (sent, received) = (MessageScanner(), MessageScanner())
        (hasWaited, hasWaitedForAddresses) = (false, false)
        for observer in callObservers { observer.attemptBegan(&start) }
        attempt = Attempt(start: start, began: now, bytesBefore: bytesSent)
        return start.metadata
    }

    func send(_ bytes: RawSpan) {
        guard sent.count < messageLimit else { return }
        sent.scan(bytes, limit: messageLimit) { message in
            for observer in callObservers where message.number < observer.messageLimit {
                observer.messageSent(message)
            }
        }
    }

    func receive(_ bytes: ByteBuffer) {
        guard received.count < messageLimit else { return }
        received.scan(bytes.readableBytesSpan, limit: messageLimit) { message in
            for observer in callObservers where message.number < observer.messageLimit {
                observer.messageReceived(message)
            }
        }
    }

    /// - Parameters:
    ///   - bytesSent: by all attempts.
    ///   - bytesReceived: by this attempt.
    func endAttempt(
        _ status: GRPCStatus, bytesSent: Int, bytesReceived: Int, _ tally: Tally, at now: NIODeadline
    ) {
        guard let attempt else { return }
        self.attempt = nil
        idleSince = now
        self.bytesReceived += bytesReceived
        let bytes = bytesSent - attempt.bytesBefore
        let messages = MessageCounts(received: tally.messagesReceived, sent: tally.messages(in: bytes))
        counts.sent += messages.sent
        // An attempt that has received a message is the last.
        counts.received = messages.received
        guard !callObservers.isEmpty else { return }
        let record = ClientAttemptRecord(
            path: start.path, target: start.target, number: attempt.start.number, peer: attempt.start.peer,
            status: status, duration: .nanoseconds((now - attempt.began).nanoseconds), messages: messages,
            bytesSent: bytes, bytesReceived: bytesReceived)
        for observer in callObservers { observer.attemptEnded(record) }
    }

    // MARK: The end

    /// - Parameters:
    ///   - peer: the server of the last attempt; nil if there was none.
    ///   - bytesSent: by all attempts.
    /// - Returns: tells the observers, on an event loop.
    func end(_ status: GRPCStatus, peer: Peer?, bytesSent: Int, at now: NIODeadline) -> @Sendable () -> Void {
        let record = ClientCallRecord(
            path: start.path, target: start.target, timeout: start.timeout, peer: peer, status: status,
            duration: .nanoseconds((now - began).nanoseconds), attempts: attempts,
            transparentRetries: transparentRetries, retryDelay: .nanoseconds(retryDelay.nanoseconds),
            messages: counts, bytesSent: bytesSent, bytesReceived: bytesReceived,
            trace: callObservers.lazy.compactMap(\.trace).first)
        return { [observers, callObservers] in
            for observer in observers { observer.callEnded(record) }
            for observer in callObservers { observer.ended(record) }
        }
    }
}
