internal import Logging
internal import NIOCore

/// The server's log, as an observer: why connections failed and requests were reset, and at level `debug` one line per
/// call.
final class ServerLog: ServerObserver {
    private let logger: Logger
    private let throttled: ThrottledLog

    init(logger: Logger) {
        self.logger = logger
        throttled = ThrottledLog(logger: logger)
    }

    func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)? {
        guard logger.logLevel <= .info else { return nil }
        return ConnectionLog(logger: logger, throttled: throttled, peer: peer)
    }

    /// - Parameter isClientsFault: whether the operator should know; false for everyday events.
    func connectionFailed(_ reason: String, of peer: Peer, isClientsFault: Bool) {
        throttled.connectionFailed(reason, of: peer, at: .now(), level: isClientsFault ? .info : .debug)
    }
}

/// The log of one connection.
private final class ConnectionLog: ServerConnectionObserver {
    private let logger: Logger
    private let throttled: ThrottledLog
    private let peer: Peer
    private let logsBeginnings: Bool
    let observesCalls: Bool
    private var calls: CallLog

    init(logger: Logger, throttled: ThrottledLog, peer: Peer) {
        self.logger = logger
        self.throttled = throttled
        self.peer = peer
        observesCalls = logger.logLevel <= .debug
        logsBeginnings = logger.logLevel <= .trace
        calls = CallLog(logger: logger)
    }

    func callBegan(_ call: ServerCallStart) -> (any ServerCallObserver)? {
        guard logsBeginnings else { return nil }
        logger.trace(
            "call begins", metadata: ["peer": "\(peer)", "method": "\(call.path.escapedForDisplay)"])
        return nil
    }

    func callEnded(_ call: ServerCallRecord) {
        calls.write(call)
    }

    func requestRefused(_ reason: String) {
        throttled.requestRefused(reason, of: peer, at: .now())
    }

    func clientGoesAway(_ code: String, debug: String) {
        logger.debug(
            "the client says goodbye", metadata: ["peer": "\(peer)", "code": "\(code)", "words": "\(debug)"])
    }

    func failed(_ failure: ServerConnectionFailure) {
        throttled.connectionFailed(
            failure.description, of: peer, at: .now(), level: failure.isClientsFault ? .info : .debug)
    }

    func closed(_ connection: ServerConnectionRecord) {
        calls.close(peer: peer)
    }
}
