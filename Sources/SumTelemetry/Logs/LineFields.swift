import Logging
import SumCore

/// Writes the fields of one line into bytes, in either format. Names are plain, and no name comes twice.
struct LineFields {
    /// A name as it is written, so that no line has to put it together.
    struct Name {
        let json: String
        let text: String

        init(_ name: String) {
            json = ",\"\(name)\":"
            text = " \(name)="
        }
    }

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

    private mutating func name(_ name: Name) {
        append(format == .json ? name.json : name.text)
    }

    /// A text that may be a peer's. What is not printable is escaped, and the text is cut.
    mutating func text(_ name: Name, _ value: String) {
        self.name(name)
        switch format {
        case .json: json.value(value, limit: String.displayLimit)
        case .text:
            switch Self.kind(of: value) {
            case .plain: append(value)
            case .spaced:
                append("\"")
                append(value)
                append("\"")
            case .other: append(LineLogHandler.quoted(value.escapedForDisplay))
            }
        }
    }

    /// How a text is written. Nearly all are plain or spaced, which is found out quickly.
    private enum TextKind {
        case plain
        /// In quotes, and otherwise as it is.
        case spaced
        /// Something must be escaped or cut.
        case other
    }

    private static func kind(of text: String) -> TextKind {
        guard text.utf8.count <= String.displayLimit else { return .other }
        var kind = text.isEmpty ? TextKind.spaced : .plain
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "="): kind = .spaced
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): return .other
            case 0x21...0x7e: break
            default: return .other
            }
        }
        return kind
    }

    mutating func integer(_ name: Name, _ value: Int64) {
        self.name(name)
        append(String(value))
    }

    /// A time with three decimals.
    mutating func milliseconds(_ name: Name, _ time: Duration) {
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
