internal import FoundationEssentials

/// Base64 as gRPC uses it: encoded without padding, decoded with or without (PROTOCOL-HTTP2.md, "Custom-Metadata").
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    static func decode(_ text: Substring) -> [UInt8]? {
        let digits = text.prefix { $0 != "=" }
        let padding = String(repeating: "=", count: (4 - digits.count % 4) % 4)
        return Data(base64Encoded: digits + padding).map { [UInt8]($0) }
    }
}
