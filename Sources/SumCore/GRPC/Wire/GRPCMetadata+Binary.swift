extension GRPCMetadata {
    /// Adds a binary value, which is sent as base64 without padding.
    ///
    /// - Parameters:
    ///   - key: a key as for `add(_:_:)` that ends in `-bin`.
    ///   - bytes: any bytes.
    /// - Throws: `InvalidField` if the key is invalid or does not end in `-bin`.
    public mutating func add(_ key: String, bytes: [UInt8]) throws(InvalidField) {
        guard key.lowercased().hasSuffix("-bin") else {
            throw InvalidField(description: "the key of a binary value must end in '-bin': '\(key)'")
        }
        try add(key, Base64.encode(bytes))
    }

    /// The values of a key that ends in `-bin`, in order.
    ///
    /// A field may contain several values, separated by commas. Values that are not base64 are left out
    /// (PROTOCOL-HTTP2.md, "Custom-Metadata").
    public func bytes(_ key: String) -> [[UInt8]] {
        self[key].flatMap(Self.binaryValues).compactMap(Base64.decode)
    }

    /// The first field whose key ends in `-bin` and whose value is not base64.
    var malformedBinaryField: Field? {
        fields.first { field in
            field.key.hasSuffix("-bin")
                && !Self.binaryValues(field.value).allSatisfy { Self.unpaddedBase64($0) != nil }
        }
    }

    private static func binaryValues(_ text: String) -> [Substring] {
        text.split(separator: ",", omittingEmptySubsequences: false)
            // Proxies that join fields put a space after the comma.
            .map { $0.first == " " ? $0.dropFirst() : $0 }
    }
}
