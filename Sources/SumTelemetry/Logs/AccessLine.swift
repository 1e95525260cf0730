import Logging
import SumCore

/// Makes the lines of an access log for one connection. Most of its calls differ from the one before only in numbers:
/// what they have in common is kept as bytes, and copied.
///
/// The properties have no exclusivity checks, which would cost as much as writing the numbers. They need none: a
/// connection uses its line on its event loop only, and no method calls anything that could come back to it.
final class AccessLine {
    private let format: LogFormat
    private let isForJournal: Bool
    private let names: Names
    @safe @exclusivity(unchecked) private var timestamps: Timestamp.Writer
    @safe @exclusivity(unchecked) private var common: Common?
    /// The line but for what `append` adds.
    @safe @exclusivity(unchecked) private var bytes: [UInt8] = []

    /// - Parameter isForJournal: whether lines begin with their priority for systemd's journal.
    init(_ format: LogFormat, isForJournal: Bool = false) {
        self.format = format
        self.isForJournal = isForJournal
        names = format == .json ? .json : .text
        timestamps = Timestamp.Writer(after: LineFields.beforeTime(format))
    }

    /// Makes the line of a call.
    func write(_ call: ServerCallRecord, at time: Timestamp) {
        let common = common(of: call)
        bytes.removeAll(keepingCapacity: true)
        if isForJournal { bytes += JournalPriority.prefix(common.level).utf8 }
        timestamps.append(time, to: &bytes)
        bytes += common.beginning
        bytes.append(decimal: call.messages.received)
        if !common.isSum {
            bytes += names.messagesOut
            bytes.append(decimal: call.messages.sent)
        }
        bytes += names.bytesIn
        bytes.append(decimal: Int64(call.bytesReceived))
        bytes += names.bytesOut
        bytes.append(decimal: Int64(call.bytesSent))
        bytes += names.duration
        bytes.append(milliseconds: call.duration)
        if let timeout = call.timeout {
            bytes += names.deadline
            bytes.append(milliseconds: timeout)
        }
        bytes += common.end
        if let trace = call.trace { add(trace) }
    }

    private func add(_ trace: TraceContext) {
        var fields = LineFields(format)
        fields.text(Self.traceID, trace.traceIDText)
        fields.text(Self.spanID, trace.spanIDText)
        bytes += fields.bytes
    }

    /// Appends the line and its newline.
    ///
    /// - Parameters:
    ///   - lost: lines that were lost before this one, which it reports.
    ///   - notLogged: calls that had no line before this one.
    func append(to output: inout [UInt8], lost: Int = 0, notLogged: Int = 0) {
        output += bytes
        if lost > 0 || notLogged > 0 {
            var fields = LineFields(format)
            if lost > 0 { fields.integer(Self.linesLostBefore, Int64(lost)) }
            if notLogged > 0 { fields.integer(Self.notLoggedBefore, Int64(notLogged)) }
            output += fields.bytes
        }
        if format == .json { output.append(UInt8(ascii: "}")) }
        output.append(UInt8(ascii: "\n"))
    }

    // MARK: What calls have in common

    /// Fields before and after the numbers, as bytes, and what they were made of.
    private final class Common {
        /// The last call whose fields these were.
        @safe @exclusivity(unchecked) private var start: ServerCallStart
        private let status: GRPCStatus

        let isSum: Bool
        var level: Logger.Level { status.code.logLevel }
        /// From the time to the name of the first number.
        let beginning: [UInt8]
        /// After the numbers.
        let end: [UInt8]

        init(_ call: ServerCallRecord, _ format: LogFormat, _ names: Names) {
            (start, status) = (call.start, call.status)
            let (peer, path) = (start.peer, start.path)
            isSum = path == SumNumbers.path
            var line = LineFields(format)
            line.begin(status.code.logLevel, "access", "call")
            line.text(AccessLine.peer, peer.description)
            if let principal = peer.principal { line.text(AccessLine.principal, principal) }
            line.text(AccessLine.method, start.isHosted ? String(Substring(path.utf8.dropFirst())) : path)
            line.text(AccessLine.code, "\(status.code)")
            if !status.message.isEmpty { line.text(AccessLine.message, status.message) }
            beginning = line.bytes + (isSum ? names.numbers : names.messagesIn)
            line = LineFields(format)
            if let version = peer.tlsVersion { line.text(AccessLine.tls, version.rawValue) }
            if !start.userAgent.isEmpty { line.text(AccessLine.userAgent, start.userAgent) }
            end = line.bytes
        }

        func holds(for call: ServerCallRecord) -> Bool {
            guard status.code == call.status.code, status.message == call.status.message else { return false }
            if start.isIdentical(to: call.start) { return true }
            guard start.path == call.path, start.isHosted == call.isHosted,
                start.userAgent == call.userAgent, start.peer == call.peer
            else { return false }
            // So that the calls after it, which often share its memory, are compared at once.
            start = call.start
            return true
        }
    }

    private func common(of call: ServerCallRecord) -> Common {
        if let common, common.holds(for: call) { return common }
        let new = Common(call, format, names)
        common = new
        return new
    }

    // MARK: Names

    private static let peer = LineFields.Name("peer")
    private static let principal = LineFields.Name("principal")
    private static let method = LineFields.Name("method")
    private static let code = LineFields.Name("code")
    private static let message = LineFields.Name("message")
    private static let tls = LineFields.Name("tls")
    private static let userAgent = LineFields.Name("user_agent")
    private static let traceID = LineFields.Name("trace_id")
    private static let spanID = LineFields.Name("span_id")
    private static let linesLostBefore = LineFields.Name("lines-lost-before")
    private static let notLoggedBefore = LineFields.Name("not-logged-before")

    /// The names of the numbers, as they are written in one format. A class, so that each connection has a reference.
    private final class Names: Sendable {
        let numbers, messagesIn, messagesOut, bytesIn, bytesOut, duration, deadline: [UInt8]

        static let json = Names(.json)
        static let text = Names(.text)

        private init(_ format: LogFormat) {
            func name(_ name: String) -> [UInt8] {
                let name = LineFields.Name(name)
                return Array((format == .json ? name.json : name.text).utf8)
            }
            numbers = name("numbers")
            messagesIn = name("messages_in")
            messagesOut = name("messages_out")
            bytesIn = name("bytes_in")
            bytesOut = name("bytes_out")
            duration = name("ms")
            deadline = name("deadline_ms")
        }
    }
}
