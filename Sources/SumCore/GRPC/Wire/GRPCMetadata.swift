/// Metadata of a call: keys and values in the order they were added, keys repeated or not
/// (grpc/doc/PROTOCOL-HTTP2.md, "Custom-Metadata").
public struct GRPCMetadata: Hashable, Sendable {
    /// Keys are lower case. The value of a key that ends in `-bin` is base64, as it stands on the wire.
    public private(set) var fields: [Field] = []

    public struct Field: Hashable, Sendable {
        public var key: String
        public var value: String
    }

    public init() {}

    /// What is wrong with a key or value that was refused.
    public struct InvalidField: Error, Hashable, CustomStringConvertible {
        public var description: String
    }

    /// Adds a field after those there are.
    ///
    /// - Parameters:
    ///   - key: letters, digits, `_`, `-` and `.`; upper case is lowered. Keys that begin with `grpc-` are gRPC's.
    ///   - value: printable ASCII and spaces; base64, padded or not, if `key` ends in `-bin`. Spaces at its ends are
    ///     left out, since they are no part of a value in HTTP (RFC 9110 section 5.5).
    /// - Throws: `InvalidField` when the key or value breaks these rules.
    public mutating func add(_ key: String, _ value: String) throws(InvalidField) {
        let key = key.lowercased()
        guard !key.isEmpty, key.utf8.allSatisfy(Self.isKeyByte) else {
            throw InvalidField(
                description: "a metadata key has only letters, digits, '_', '-' and '.': '\(key)'")
        }
        guard !Self.isReserved(key) else {
            throw InvalidField(description: "the metadata key '\(key)' is gRPC's or HTTP's own")
        }
        let value = value.withoutOuterSpaces
        if key.hasSuffix("-bin") {
            guard let unpadded = Self.unpaddedBase64(value) else {
                throw InvalidField(description: "the value of '\(key)' is not base64: '\(value)'")
            }
            fields.append(Field(key: key, value: unpadded))
        } else {
            guard value.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
                throw InvalidField(description: "the value of '\(key)' is not printable ASCII")
            }
            fields.append(Field(key: key, value: value))
        }
    }

    /// The values of `key`, in order.
    public subscript(key: String) -> [String] {
        fields.filter { $0.key == key }.map(\.value)
    }
}

extension GRPCMetadata {
    /// What a peer sent beside the fields that HTTP and gRPC define. Values come as they are: valid HTTP, and
    /// possibly not ASCII.
    init(received fields: [HTTP2Field]) {
        self.fields = fields.compactMap { field in
            field.name.utf8.first == UInt8(ascii: ":") || Self.isReserved(field.name)
                ? nil : Field(key: field.name, value: field.value)
        }
    }

}

extension [HTTP2Field] {
    func adding(_ metadata: GRPCMetadata) -> [HTTP2Field] {
        metadata.fields.isEmpty ? self : self + metadata.fields.map { HTTP2Field($0.key, $0.value) }
    }
}

// MARK: Rules for keys and values

extension GRPCMetadata {
    private static func isReserved(_ key: String) -> Bool {
        // By the first letter, since comparing strings takes much longer.
        switch key.utf8.first {
        case UInt8(ascii: "g"): key.utf8.starts(with: "grpc-".utf8)
        case UInt8(ascii: "c"): ["content-type", "connection", "content-length"].contains(key)
        case UInt8(ascii: "t"): ["te", "transfer-encoding"].contains(key)
        case UInt8(ascii: "u"): ["user-agent", "upgrade"].contains(key)
        case UInt8(ascii: "h"): key == "host"
        case UInt8(ascii: "k"): key == "keep-alive"
        case UInt8(ascii: "p"): key == "proxy-connection"
        default: false
        }
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
            UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default:
            false
        }
    }

    /// Takes the padding off, which gRPC wants left out on the wire; nil when `text` is not base64.
    static func unpaddedBase64(_ text: some StringProtocol) -> String? {
        let digits = text.utf8.prefix { $0 != UInt8(ascii: "=") }
        let padding = text.utf8.dropFirst(digits.count)
        guard digits.allSatisfy(isBase64Digit), digits.count % 4 != 1,
            padding.isEmpty || (padding.count <= 2 && text.utf8.count % 4 == 0),
            padding.allSatisfy({ $0 == UInt8(ascii: "=") })
        else { return nil }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func isBase64Digit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default:
            false
        }
    }
}
