import SumCore

/// Writes JSON (RFC 8259) into bytes, without a tree of it in between.
///
/// What could move a cursor, hide text or end a line is escaped, so that the text can be shown on a terminal.
package struct JSONText: Sendable {
    package var bytes: [UInt8]
    private var needsComma = false

    /// - Parameter bytes: what comes before.
    package init(after bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    package mutating func beginObject() { begin("{") }
    package mutating func endObject() { end("}") }
    package mutating func beginArray() { begin("[") }
    package mutating func endArray() { end("]") }

    private mutating func begin(_ bracket: Unicode.Scalar) {
        separate()
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    private mutating func end(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// The name of the value that follows.
    package mutating func name(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func string(_ text: String) {
        separate()
        value(text)
    }

    /// A string, without a comma before it. One of more than `limit` characters is cut.
    mutating func value(_ text: String, limit: Int = .max) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.count <= limit, Self.isPlain(text) {
            bytes += text.utf8
        } else {
            for (count, scalar) in text.unicodeScalars.enumerated() {
                guard count < limit else {
                    bytes += "...".utf8
                    break
                }
                append(scalar)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func integer(_ number: some BinaryInteger) {
        separate()
        bytes += String(number).utf8
    }

    /// A number; null if it is none, or infinite.
    package mutating func number(_ number: Double) {
        guard number.isFinite else { return null() }
        separate()
        bytes += "\(number)".utf8
    }

    package mutating func boolean(_ value: Bool) {
        separate()
        bytes += (value ? "true" : "false").utf8
    }

    package mutating func null() {
        separate()
        bytes += "null".utf8
    }

    /// Whether nothing must be escaped: true of nearly all texts. A loop, because a closure for each byte takes longer.
    private static func isPlain(_ text: String) -> Bool {
        for byte in text.utf8 {
            guard byte >= 0x20, byte <= 0x7e, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else {
                return false
            }
        }
        return true
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"", "\\": bytes += [UInt8(ascii: "\\"), UInt8(ascii: scalar)]
        case "\n": bytes += "\\n".utf8
        case "\r": bytes += "\\r".utf8
        case "\t": bytes += "\\t".utf8
        case _ where scalar.isPrintable: bytes += UTF8.encode(scalar).map(Array.init) ?? []
        // Two of them for a scalar beyond 16 bits.
        default: for unit in UTF16.encode(scalar).map(Array.init) ?? [] { appendEscaped(unit) }
        }
    }

    private mutating func appendEscaped(_ unit: UInt16) {
        let digits = String(unit, radix: 16)
        bytes += "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8
    }
}
