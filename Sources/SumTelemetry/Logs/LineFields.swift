import Logging
import SumCore

/// Writes fields of a line into bytes, in either format. Names are plain, and no name comes twice.
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
    private var json = JSONText()

    init(_ format: LogFormat) {
        self.format = format
    }

    var bytes: [UInt8] { json.bytes }

    private mutating func append(_ text: String) { json.bytes += text.utf8 }

    /// What a line has before its time.
    static func beforeTime(_ format: LogFormat) -> [UInt8] {
        format == .json ? Array("{\"ts\":\"".utf8) : []
    }

    /// What follows the time.
    mutating func begin(_ level: Logger.Level, _ logger: String, _ message: String) {
        switch format {
        case .text: append(" \(level.rawValue) \(logger):")
        case .json:
            append("\",\"level\":\"\(level.rawValue)\",\"logger\":\"\(logger)\",\"msg\":\"\(message)\"")
        }
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
        json.bytes.append(decimal: value)
    }
}

extension [UInt8] {
    /// Appends a number in decimal, without a string in between.
    mutating func append(decimal number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        append(digits: number.magnitude, atLeast: 1)
    }

    /// Appends a time with three decimals.
    mutating func append(milliseconds time: Duration) {
        // The longest timeout that gRPC can say has 18 digits in microseconds. Most times fit into 64 bits of attoseconds,
        // whose division costs a fraction.
        let microseconds =
            UInt64(exactly: time.attoseconds).map { $0 / 1_000_000_000_000 }
            ?? UInt64(clamping: time.attoseconds / 1_000_000_000_000)
        append(digits: microseconds / 1000, atLeast: 1)
        append(UInt8(ascii: "."))
        append(digits: microseconds % 1000, atLeast: 3)
    }

    /// Appends a number with zeros before it.
    ///
    /// - Parameter width: at most 20, which is as many digits as a number can have.
    mutating func append(digits number: UInt64, atLeast width: Int) {
        if number < 1000, width <= 3 {
            // Most numbers of a line.
            let small = UInt16(truncatingIfNeeded: number)
            if small >= 100 || width == 3 { append(digit: small / 100) }
            if small >= 10 || width >= 2 { append(digit: small / 10 % 10) }
            return append(digit: small % 10)
        }
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var (start, left) = (digits.count, number)
        while left > 0 {
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: left % 10)
            left /= 10
        }
        for index in Swift.min(start, digits.count - width)..<digits.count { append(digits[index]) }
    }

    private mutating func append(digit: UInt16) {
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
    }
}
