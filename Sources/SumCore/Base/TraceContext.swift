/// The ids of a span, as W3C Trace Context sends them from process to process
/// (https://www.w3.org/TR/trace-context/#traceparent-header).
public struct TraceContext: Hashable, Sendable {
    /// The id of the trace, which all its spans share. Not 0.
    public var traceID: UInt128
    /// The id of the span. Not 0.
    public var spanID: UInt64
    /// Bit 0 says that the trace is recorded; the other bits are passed on.
    public var flags: UInt8

    /// Creates the ids of a span. Neither id may be 0.
    public init(traceID: UInt128, spanID: UInt64, flags: UInt8) {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
    }

    /// Whether the trace is recorded.
    public var isSampled: Bool { flags & 1 != 0 }

    /// The trace's id in 32 hexadecimal digits.
    public var traceIDText: String { Self.hex(traceID, digits: 32) }

    /// The span's id in 16 hexadecimal digits.
    public var spanIDText: String { Self.hex(UInt128(spanID), digits: 16) }

    private static func hex(_ value: UInt128, digits: Int) -> String {
        let bytes = (0..<digits).map { place in
            let digit = UInt8(truncatingIfNeeded: value >> (4 * UInt128(digits - 1 - place))) & 15
            return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

// MARK: traceparent

extension TraceContext {
    /// Bytes of the four fields and the hyphens between them.
    private static let length = 55

    /// Parses the value of a `traceparent`: version, trace id, span id and flags, in lower-case hexadecimal digits. Of a
    /// version later than 00, only these fields are read.
    ///
    /// - Returns: nil if the value is malformed. It then counts as absent.
    public init?(traceparent: String) {
        let bytes = Array(traceparent.utf8.prefix(Self.length + 1))
        guard bytes.count >= Self.length,
            [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }),
            let version = Self.number(bytes[0..<2]), version != 0xff,
            let traceID = Self.number(bytes[3..<35]), traceID != 0,
            let spanID = Self.number(bytes[36..<52]), spanID != 0,
            let flags = Self.number(bytes[53..<55])
        else { return nil }
        // A later version may append fields.
        guard bytes.count == Self.length || version > 0 && bytes[Self.length] == UInt8(ascii: "-") else {
            return nil
        }
        self.init(
            traceID: traceID, spanID: UInt64(truncatingIfNeeded: spanID),
            flags: UInt8(truncatingIfNeeded: flags))
    }

    /// The value of a `traceparent` of version 00.
    public var traceparent: String {
        "00-\(traceIDText)-\(spanIDText)-\(Self.hex(UInt128(flags), digits: 2))"
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt128? {
        var number: UInt128 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                number = number << 4 | UInt128(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                number = number << 4 | UInt128(digit - UInt8(ascii: "a") + 10)
            default:
                return nil
            }
        }
        return number
    }
}
