internal import FoundationEssentials

/// Base64 as gRPC uses it: encoded without padding, decoded with or without (PROTOCOL-HTTP2.md, "Custom-Metadata").
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        String(encodePadded(bytes).prefix { $0 != "=" })
    }

    /// Base64 as HTTP's authentication uses it (RFC 7617).
    static func encodePadded(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
    }

    static func decode(_ text: Substring) -> [UInt8]? {
        let digits = text.prefix { $0 != "=" }
        let padding = String(repeating: "=", count: (4 - digits.count % 4) % 4)
        return Data(base64Encoded: digits + padding).map { [UInt8]($0) }
    }
}
