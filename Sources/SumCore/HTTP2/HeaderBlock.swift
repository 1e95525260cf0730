/// The fields of a header block while it arrives.
///
/// Blocks on a connection are mostly alike. What is the same as in the last one of its kind is not made again, and a
/// block that is the same as a whole is that very array, which makes it cheap to compare.
struct HeaderBlock {
    /// The last block of the same kind.
    private let earlier: [HTTP2Field]
    /// How many fields have been the same as in `earlier`, from its beginning.
    private var repeated = 0
    /// All the fields, from the first on that is another.
    private var changed: [HTTP2Field] = []
    private var size = 0

    init(after earlier: [HTTP2Field] = []) {
        self.earlier = earlier
    }

    private var count: Int { changed.isEmpty ? repeated : changed.count }

    var fields: [HTTP2Field] {
        guard changed.isEmpty else { return changed }
        return repeated == earlier.count ? earlier : Array(earlier.prefix(repeated))
    }

    /// - Returns: false when the block exceeds a limit.
    mutating func add(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, maximumSize: Int,
        maximumCount: Int
    ) -> Bool {
        let index = count
        size += HTTP2Field.listSize(nameLength: name.count, valueLength: value.count)
        guard size <= maximumSize, index < maximumCount else { return false }
        let isRepeated = unsafe index < earlier.count && earlier[index].matches(name: name, value: value)
        if isRepeated, changed.isEmpty {
            repeated += 1
            return true
        }
        if changed.isEmpty { changed = Array(earlier.prefix(repeated)) }
        let field =
            isRepeated
            ? earlier[index]
            : unsafe HTTP2Field(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
        changed.append(field)
        return true
    }
}
