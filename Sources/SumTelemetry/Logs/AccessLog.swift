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
public final class AccessLog: ServerObserver, ServerConnectionObserver {
    private struct State {
        var timestamps = Timestamp.Writer()
        /// For calls that reached no handler.
        var bucket: TokenBucket
        var notLogged = 0
    }

    /// The names of the fields, in their order.
    private enum Names {
        static let peer = LineFields.Name("peer")
        static let principal = LineFields.Name("principal")
        static let method = LineFields.Name("method")
        static let code = LineFields.Name("code")
        static let message = LineFields.Name("message")
        static let numbers = LineFields.Name("numbers")
        static let messagesIn = LineFields.Name("messages_in")
        static let messagesOut = LineFields.Name("messages_out")
        static let bytesIn = LineFields.Name("bytes_in")
        static let bytesOut = LineFields.Name("bytes_out")
        static let duration = LineFields.Name("ms")
        static let deadline = LineFields.Name("deadline_ms")
        static let tls = LineFields.Name("tls")
        static let userAgent = LineFields.Name("user_agent")
        static let traceID = LineFields.Name("trace_id")
        static let spanID = LineFields.Name("span_id")
        static let linesLostBefore = LineFields.Name("lines-lost-before")
        static let notLoggedBefore = LineFields.Name("not-logged-before")
    }

    private let writer: LineWriter
    private let format: LogFormat
    private let state: Mutex<State>

    public init(_ writer: LineWriter, format: LogFormat) {
        self.writer = writer
        self.format = format
        state = Mutex(State(bucket: TokenBucket(burst: 100, perSecond: 10, now: .now())))
    }

    public var observesCalls: Bool { true }

    /// All connections have one observer, which keeps nothing about them.
    public func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)? { self }

    public func closed(_ connection: ServerConnectionRecord) {}

    public func callEnded(_ call: ServerCallRecord) {
        let time = Timestamp()
        guard call.reachedHandler || mayLogUnreached() else { return }
        writer.append { line, lost in
            if writer.isJournal { line += JournalPriority.prefix(call.status.code.logLevel).utf8 }
            state.withLock { state in
                Self.append(
                    call, at: time, format, lost: lost, notLogged: state.notLogged,
                    timestamps: &state.timestamps, to: &line)
                state.notLogged = 0
            }
        }
    }

    private func mayLogUnreached() -> Bool {
        state.withLock { state in
            if state.bucket.take(1, at: .now()) { return true }
            state.bucket.give(1)
            state.notLogged += 1
            return false
        }
    }

    /// Appends a line with its newline.
    static func append(
        _ call: ServerCallRecord, at time: Timestamp, _ format: LogFormat, lost: Int = 0, notLogged: Int = 0,
        timestamps: inout Timestamp.Writer, to bytes: inout [UInt8]
    ) {
        var line = LineFields(format, bytes)
        bytes = []
        line.begin(call.status.code.logLevel, "access", "call") { timestamps.append(time, to: &$0) }
        line.text(Names.peer, call.peer.description)
        if let principal = call.peer.principal { line.text(Names.principal, principal) }
        line.text(Names.method, call.isHosted ? String(Substring(call.path.utf8.dropFirst())) : call.path)
        line.text(Names.code, "\(call.status.code)")
        if !call.status.message.isEmpty { line.text(Names.message, call.status.message) }
        if call.path == SumNumbers.path {
            line.integer(Names.numbers, call.messages.received)
        } else {
            line.integer(Names.messagesIn, call.messages.received)
            line.integer(Names.messagesOut, call.messages.sent)
        }
        line.integer(Names.bytesIn, Int64(call.bytesReceived))
        line.integer(Names.bytesOut, Int64(call.bytesSent))
        line.milliseconds(Names.duration, call.duration)
        if let timeout = call.timeout { line.milliseconds(Names.deadline, timeout) }
        if let version = call.peer.tlsVersion { line.text(Names.tls, version.rawValue) }
        if !call.userAgent.isEmpty { line.text(Names.userAgent, call.userAgent) }
        if let trace = call.trace {
            line.text(Names.traceID, trace.traceIDText)
            line.text(Names.spanID, trace.spanIDText)
        }
        if lost > 0 { line.integer(Names.linesLostBefore, Int64(lost)) }
        if notLogged > 0 { line.integer(Names.notLoggedBefore, Int64(notLogged)) }
        line.end()
        bytes = line.bytes
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
