public import Logging
import NIOCore
public import SumCore
import Synchronization

/// Writes a line for each call of a server, when it has ended.
///
/// The lines have typed fields in a fixed order, and are made without swift-log, whose values are text. A line is at most
/// a few hundred bytes longer than the texts in it, and these are cut at 256 characters. Calls that reached no handler get
/// no more than ten lines a second after a burst of a hundred, so that whoever tries ports, paths and tokens does not
/// fill the log; the next line has the number of those left out.
public final class AccessLog: ServerObserver {
    private let writer: LineWriter
    private let format: LogFormat
    /// For calls that reached no handler.
    private let bucket = Mutex(TokenBucket(burst: 100, perSecond: 10, now: .now()))
    private let notLogged = Atomic(0)

    /// Creates an access log that writes lines of a format.
    public init(_ writer: LineWriter, format: LogFormat) {
        self.writer = writer
        self.format = format
    }

    public func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)? {
        ConnectionAccessLog(self)
    }

    /// Writes lines for one connection, on its event loop: so nobody else waits while a line is made.
    private final class ConnectionAccessLog: ServerConnectionObserver {
        private let log: AccessLog
        private let line: AccessLine

        var observesCalls: Bool { true }

        init(_ log: AccessLog) {
            self.log = log
            line = AccessLine(log.format, isForJournal: log.writer.isJournal)
        }

        func callEnded(_ call: ServerCallRecord) {
            guard call.reachedHandler || log.mayLogUnreached() else { return }
            line.write(call, at: Timestamp())
            // Not called for a line that is lost, so that the next one has the counts.
            log.writer.append { bytes, lost in
                line.append(to: &bytes, lost: lost, notLogged: log.takeNotLogged())
            }
        }

        func closed(_ connection: ServerConnectionRecord) {}
    }

    private func mayLogUnreached() -> Bool {
        let mayLog = bucket.withLock { bucket in
            if bucket.take(1, at: .now()) { return true }
            bucket.give(1)
            return false
        }
        if !mayLog { notLogged.wrappingAdd(1, ordering: .relaxed) }
        return mayLog
    }

    private func takeNotLogged() -> Int {
        // Nearly always there are none, and reading is cheaper than exchanging.
        notLogged.load(ordering: .relaxed) == 0 ? 0 : notLogged.exchange(0, ordering: .relaxed)
    }
}

extension GRPCStatus.Code {
    /// The level of a call that has ended with the code, as in go-grpc-middleware: whose fault it is, if it is one.
    public var logLevel: Logger.Level {
        switch self {
        case .ok, .cancelled, .notFound, .alreadyExists, .invalidArgument, .unauthenticated: .info
        case .deadlineExceeded, .permissionDenied, .resourceExhausted, .failedPrecondition, .aborted,
            .outOfRange,
            .unavailable:
            .warning
        default: .error
        }
    }
}
