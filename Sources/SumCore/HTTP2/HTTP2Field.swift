/// A header or trailer field (RFC 9113 section 8.2). Names are lower case.
struct HTTP2Field: Equatable, Sendable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Whether the values of such fields are never logged, and never put into a compression table (RFC 7541 section
    /// 7.1.3).
    static func isSecret(_ name: String) -> Bool {
        // By the first letter first, because comparing strings takes much longer.
        switch name.utf8.first {
        case UInt8(ascii: "a"): name == "authorization"
        case UInt8(ascii: "c"): name == "cookie"
        case UInt8(ascii: "p"): name == "proxy-authorization"
        default: false
        }
    }

    /// Whether name and value consist of these bytes.
    func matches(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Bool {
        unsafe Self.isSame(self.value, value) && Self.isSame(self.name, name)
    }

    /// Compares eight bytes at a time. Sound because the storage of `text` is valid during the closure, and no load
    /// goes beyond the count, which is equal for both.
    private static func isSame(_ text: String, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.utf8.count == bytes.count else { return false }
        let bytes = UnsafeRawBufferPointer(bytes)
        return unsafe text.utf8.withContiguousStorageIfAvailable { text in
            let text = UnsafeRawBufferPointer(text)
            var index = 0
            while index + 8 <= text.count {
                guard
                    unsafe text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                        == bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                else { return false }
                index += 8
            }
            while index < text.count {
                guard unsafe text[index] == bytes[index] else { return false }
                index += 1
            }
            return true
        } ?? false
    }

    /// The size of a field, in bytes, for SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 section 6.5.2).
    static func listSize(nameLength: Int, valueLength: Int) -> Int {
        nameLength + valueLength + 32
    }
}

extension HTTP2Field: CustomStringConvertible, CustomReflectable {
    /// The field on one line, without its value if that is secret.
    var description: String { "\(name): \(Self.isSecret(name) ? "(hidden)" : value.escapedForDisplay)" }
    var customMirror: Mirror { Mirror(self, children: ["field": description]) }
}

extension [HTTP2Field] {
    /// The size of the list, in bytes, for SETTINGS_MAX_HEADER_LIST_SIZE.
    var listSize: Int {
        reduce(0) { size, field in
            size + HTTP2Field.listSize(nameLength: field.name.utf8.count, valueLength: field.value.utf8.count)
        }
    }

    /// The value of the first field named `name`.
    func first(_ name: String) -> String? {
        first { $0.name == name }?.value
    }
}
