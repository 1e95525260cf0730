/// The encoding of `grpc-message` (grpc/doc/PROTOCOL-HTTP2.md, "Responses"): printable ASCII except `%` is unchanged,
/// every other byte of the UTF-8 text becomes `%` and two upper-case hexadecimal digits. Leading and trailing spaces
/// are encoded too, because HTTP does not count them as part of a value (RFC 9110 section 5.5).
package enum PercentEncoding {
    static func encode(_ text: String) -> String {
        let space = UInt8(ascii: " ")
        let isPadded = text.utf8.first == space || text.utf8.last == space
        guard isPadded || !text.utf8.allSatisfy(isUnreserved) else { return text }
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count * 2)
        let last = text.utf8.count - 1
        for (index, byte) in text.utf8.enumerated() {
            if isUnreserved(byte), byte != space || (index > 0 && index < last) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// The most bytes that a scalar takes when it is encoded.
    static func length(of scalar: Unicode.Scalar) -> Int {
        scalar.isASCII && isUnreserved(UInt8(truncatingIfNeeded: scalar.value)) && scalar != " "
            ? 1 : 3 * UTF8.width(scalar)
    }

    /// Never fails: invalid escapes are kept as they are, and invalid UTF-8 becomes U+FFFD.
    package static func decode(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "%"), position + 2 < bytes.count,
                let high = hexValue(bytes[position + 1]), let low = hexValue(bytes[position + 2])
            {
                decoded.append(high << 4 | low)
                position += 3
            } else {
                decoded.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte <= 0x7e && byte != UInt8(ascii: "%")
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
