/// Metadata of a call: keys and values in the order they were added. A key may occur several times
/// (grpc/doc/PROTOCOL-HTTP2.md, "Custom-Metadata").
public struct GRPCMetadata: Hashable, Sendable {
    /// The fields in order.
    public private(set) var fields: [Field] = []
    /// The first invalid field that a literal or an assignment has tried to add; nil if there was none.
    public private(set) var invalidField: InvalidField?

    /// A key and its value.
    public struct Field: Hashable, Sendable {
        /// The key in lower case.
        public var key: String
        /// The value as it is on the wire; base64 if the key ends in `-bin`.
        public var value: String
    }

    /// Creates metadata without fields.
    public init() {}

    /// The error for an invalid key or value.
    public struct InvalidField: Error, Hashable, CustomStringConvertible {
        /// What is wrong, for people. It quotes the key or the value, unescaped.
        public var description: String
    }

    /// Appends a field.
    ///
    /// - Parameters:
    ///   - key: letters, digits, `_`, `-` and `.`; it is converted to lower case. Keys that begin with `grpc-`, and
    ///     those of HTTP such as `content-type`, are reserved.
    ///   - value: printable ASCII and spaces; if `key` ends in `-bin`, base64 with or without padding. Leading and
    ///     trailing spaces are removed, because HTTP does not count them as part of a value (RFC 9110 section 5.5).
    /// - Throws: `InvalidField` if the key or the value breaks these rules.
    public mutating func add(_ key: String, _ value: String) throws(InvalidField) {
        fields.append(try Self.field(key, value))
    }

    /// Gives a key one value, instead of all that it has. Keys and values as for `add(_:_:)`.
    ///
    /// - Throws: `InvalidField`, and changes nothing, if the key or the value is invalid.
    public mutating func set(_ key: String, _ value: String) throws(InvalidField) {
        let field = try Self.field(key, value)
        remove(field.key)
        fields.append(field)
    }

    private static func field(_ key: String, _ value: String) throws(InvalidField) -> Field {
        let key = key.lowercased()
        guard !key.isEmpty, key.utf8.allSatisfy(isKeyByte) else {
            throw InvalidField(
                description: "a metadata key may have only letters, digits, '_', '-' and '.': '\(key)'")
        }
        guard !isReserved(key) else {
            throw InvalidField(description: "the metadata key '\(key)' is reserved for gRPC or HTTP")
        }
        let value = value.withoutOuterSpaces
        if key.hasSuffix("-bin") {
            guard let unpadded = unpaddedBase64(value) else {
                throw InvalidField(description: "the value of '\(key)' is not base64: '\(value)'")
            }
            return Field(key: key, value: unpadded)
        } else {
            guard value.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
                throw InvalidField(description: "the value of '\(key)' is not printable ASCII")
            }
            return Field(key: key, value: value)
        }
    }

    /// Removes all fields with `key`.
    public mutating func remove(_ key: String) {
        let key = Self.inLowerCase(key)
        fields.removeAll { $0.key == key }
    }

    /// The values of `key`, in order. Setting them replaces all that it has; as in a literal, what is invalid shows in
    /// `invalidField`.
    public subscript(key: String) -> [String] {
        get {
            let key = Self.inLowerCase(key)
            return fields.filter { $0.key == key }.map(\.value)
        }
        set {
            remove(key)
            for value in newValue { addOrNote(key, value) }
        }
    }

    private static func inLowerCase(_ key: String) -> String {
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return key.utf8.contains(where: capitals.contains) ? key.lowercased() : key
    }
}

// MARK: Literals

extension GRPCMetadata: ExpressibleByDictionaryLiteral {
    /// Creates metadata from keys and values, in their order; a key may occur several times.
    ///
    /// A literal cannot throw. If a key or a value is invalid (`add(_:_:)`), `invalidField` says so, and a call with the
    /// metadata ends with INTERNAL.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (key, value) in elements { addOrNote(key, value) }
    }

    /// The status of a call whose metadata cannot be sent; nil if it can.
    var refusal: GRPCStatus? {
        invalidField.map { GRPCStatus(code: .internalError, message: "the metadata cannot be sent: \($0)") }
    }

    /// Adds a field, or notes that it is invalid.
    private mutating func addOrNote(_ key: String, _ value: String) {
        do throws(InvalidField) {
            try add(key, value)
        } catch {
            invalidField = invalidField ?? error
        }
    }
}

extension GRPCMetadata {
    /// The fields that a peer has sent, without those that HTTP and gRPC define. Values are unchanged: valid HTTP, but
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
        // By the first letter first, because comparing strings takes much longer.
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

    /// Removes the padding, which gRPC does not send; nil if `text` is not base64.
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

// MARK: Descriptions

extension GRPCMetadata.Field: CustomStringConvertible, CustomReflectable {
    /// The field on one line, without its value if that is a credential.
    public var description: String {
        "\(key.escapedForDisplay): \(HTTP2Field.isSecret(key) ? "(hidden)" : value.escapedForDisplay)"
    }

    /// Shows `description` alone, so that `dump` shows no more.
    public var customMirror: Mirror { Mirror(self, children: ["field": description]) }
}
