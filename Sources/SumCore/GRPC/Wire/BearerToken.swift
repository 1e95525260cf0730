/// A bearer token (RFC 6750 section 2.1). No description shows it.
struct BearerToken: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    let text: String

    /// - Returns: nil for a text that cannot be sent as a token.
    init?(_ text: String) {
        guard Self.isValid(text.utf8) else { return nil }
        self.text = text
    }

    var description: String { "(hidden)" }
    var customMirror: Mirror { Mirror(self, children: []) }

    /// The token of an `authorization` field; nil if it has another scheme or is malformed.
    ///
    /// The scheme's case makes no difference, and more than one space may follow it (RFC 9110 section 11.4).
    static func read(_ field: String) -> Substring? {
        let scheme = "bearer "
        guard field.utf8.count > scheme.utf8.count, field.prefix(scheme.count).lowercased() == scheme else {
            return nil
        }
        let token = field.dropFirst(scheme.count).drop { $0 == " " }
        return isValid(token.utf8) ? token : nil
    }

    /// Whether this is a `b64token`.
    static func isValid(_ token: some Collection<UInt8>) -> Bool {
        let body = token.prefix { $0 != UInt8(ascii: "=") }
        return !body.isEmpty && body.allSatisfy(isTokenByte)
            && token.dropFirst(body.count).allSatisfy { $0 == UInt8(ascii: "=") }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "-._~+/".utf8.contains(byte)
        }
    }
}
