/// One header or trailer field (RFC 9113 section 8.2); names are lower case.
struct HTTP2Field: Equatable, Sendable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// What the field counts towards SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 section 6.5.2).
    static func listSize(nameLength: Int, valueLength: Int) -> Int {
        nameLength + valueLength + 32
    }
}

extension [HTTP2Field] {
    /// What the list counts towards SETTINGS_MAX_HEADER_LIST_SIZE.
    var listSize: Int {
        reduce(0) { size, field in
            size + HTTP2Field.listSize(nameLength: field.name.utf8.count, valueLength: field.value.utf8.count)
        }
    }

    /// The value of the first field called `name`.
    func first(_ name: String) -> String? {
        first { $0.name == name }?.value
    }
}
