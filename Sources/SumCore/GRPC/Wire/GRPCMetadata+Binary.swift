extension GRPCMetadata {
    /// Adds bytes under a key that ends in `-bin`. They travel as base64 without padding.
    ///
    /// - Throws: `InvalidField` when the key breaks the rules for keys, or does not end in `-bin`.
    public mutating func add(_ key: String, bytes: [UInt8]) throws(InvalidField) {
        guard key.lowercased().hasSuffix("-bin") else {
            throw InvalidField(description: "the key of bytes ends in '-bin': '\(key)'")
        }
        try add(key, Base64.encode(bytes))
    }

    /// The values of a key that ends in `-bin`, in order. Several in one field, with commas between them, are
    /// several values; what is not base64 is left out (PROTOCOL-HTTP2.md, "Custom-Metadata").
    public func bytes(_ key: String) -> [[UInt8]] {
        self[key].flatMap(Self.binaryValues).compactMap(Base64.decode)
    }

    /// The first field whose key says base64 and whose value is something else.
    var malformedBinaryField: Field? {
        fields.first { field in
            field.key.hasSuffix("-bin")
                && !Self.binaryValues(field.value).allSatisfy { Self.unpaddedBase64($0) != nil }
        }
    }

    private static func binaryValues(_ text: String) -> [Substring] {
        text.split(separator: ",", omittingEmptySubsequences: false)
            // A proxy that joins fields puts a space after the comma.
            .map { $0.first == " " ? $0.dropFirst() : $0 }
    }
}
