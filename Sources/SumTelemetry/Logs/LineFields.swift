import Logging
import SumCore

/// Writes the fields of one line into bytes, in either format. Names are plain, and no name comes twice.
struct LineFields {
    private let format: LogFormat
    private var json: JSONText

    /// - Parameter bytes: what comes before.
    init(_ format: LogFormat, _ bytes: [UInt8]) {
        self.format = format
        json = JSONText(after: bytes)
    }

    var bytes: [UInt8] { json.bytes }

    private mutating func append(_ text: String) { json.bytes += text.utf8 }

    /// - Parameter appendTime: appends the time to the bytes.
    mutating func begin(
        _ level: Logger.Level, _ logger: String, _ message: String, appendTime: (inout [UInt8]) -> Void
    ) {
        switch format {
        case .text:
            appendTime(&json.bytes)
            append(" \(level.rawValue) \(logger):")
        case .json:
            append("{\"ts\":\"")
            appendTime(&json.bytes)
            append("\",\"level\":\"\(level.rawValue)\",\"logger\":\"\(logger)\",\"msg\":\"\(message)\"")
        }
    }

    mutating func end() {
        append(format == .json ? "}\n" : "\n")
    }

    private mutating func name(_ name: String) {
        append(format == .json ? ",\"" : " ")
        append(name)
        append(format == .json ? "\":" : "=")
    }

    /// A text that may be a peer's. What is not printable is escaped, and the text is cut.
    mutating func text(_ name: String, _ value: String) {
        self.name(name)
        switch format {
        case .json: json.value(value, limit: String.displayLimit)
        case .text: append(Self.isPlain(value) ? value : LineLogHandler.quoted(value.escapedForDisplay))
        }
    }

    /// Whether a text is written as it is: true of nearly all, and found out quickly.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= String.displayLimit
            && text.utf8.allSatisfy {
                (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
                    && $0 != UInt8(ascii: "=")
            }
    }

    mutating func integer(_ name: String, _ value: Int64) {
        self.name(name)
        append(String(value))
    }

    /// A time with three decimals.
    mutating func milliseconds(_ name: String, _ time: Duration) {
        self.name(name)
        let (seconds, attoseconds) = time.components
        // The longest timeout that gRPC can say has 18 digits in microseconds.
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let microseconds = isTooLong ? 0 : max(0, whole &+ attoseconds / 1_000_000_000_000)
        let fraction = String(microseconds % 1000)
        append(String(microseconds / 1000))
        append(".")
        append(String(repeating: "0", count: 3 - fraction.utf8.count))
        append(fraction)
    }
}
