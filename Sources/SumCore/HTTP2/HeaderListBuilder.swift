/// The fields of a header block while it arrives.
///
/// Blocks on a connection are mostly alike. What is the same as in the last one of its kind is not made again, and a
/// block that is the same as a whole is that very array, which makes it cheap to compare.
struct HeaderListBuilder {
    /// The last block of the same kind, which was good.
    private let earlier: [HTTP2Field]
    /// How many fields have been the same as in `earlier`, from its beginning.
    private var repeated = 0
    /// All the fields, from the first on that is another.
    private var changed: [HTTP2Field] = []
    /// Bytes of the list, counted as RFC 9113 section 6.5.2 does, and fields of it, whether they are kept or not.
    private(set) var (size, length) = (0, 0)
    private(set) var isTooLong = false
    /// What is wrong with the first field that breaks a rule.
    private(set) var fault: String?

    /// Of a list that is too long, what is kept of one value, and what a field may have to be kept as a whole.
    private static let (cutLength, shortLength) = (256, 64)
    /// How often a limit may be exceeded before the rest of the list is not even counted.
    private static let farFactor = 8

    init(after earlier: [HTTP2Field] = []) {
        self.earlier = earlier
    }

    private var count: Int { changed.isEmpty ? repeated : changed.count }

    var fields: [HTTP2Field] {
        guard changed.isEmpty else { return changed }
        return repeated == earlier.count ? earlier : Array(earlier.prefix(repeated))
    }

    /// Whether the block is the same as the one before it.
    var isRepeated: Bool { changed.isEmpty && repeated == earlier.count }

    /// Takes a field, without the white space at the ends of its value, which is no part of it (RFC 9110 section 5.5).
    /// Of a list that exceeds a limit, the beginning is kept, and short fields of the rest.
    ///
    /// - Returns: false when the list is longer by far, as only who attacks sends it.
    mutating func add(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, maxSize: Int,
        maxCount: Int
    ) -> Bool {
        size += HTTP2Field.listSize(nameLength: name.count, valueLength: value.count)
        length += 1
        if !isTooLong, size <= maxSize, length <= maxCount {
            if fault == nil { unsafe append(name, Self.content(of: name, value)) }
            return true
        }
        if fault == nil { unsafe addBeyondLimit(name, value, maxCount: maxCount) }
        return size / Self.farFactor <= maxSize && length / Self.farFactor <= maxCount
    }

    private mutating func append(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        let index = count
        let isRepeated = unsafe index < earlier.count && earlier[index].matches(name: name, value: value)
        if isRepeated, changed.isEmpty { return repeated += 1 }
        if changed.isEmpty { changed = Array(earlier.prefix(repeated)) }
        if isRepeated { return changed.append(earlier[index]) }
        fault = unsafe MessageRules.fault(name: name, value: value)
        guard fault == nil else { return }
        changed.append(
            unsafe HTTP2Field(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
    }

    private mutating func addBeyondLimit(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, maxCount: Int
    ) {
        let isFirst = !isTooLong
        isTooLong = true
        guard length <= maxCount, name.count <= Self.shortLength,
            isFirst || value.count <= Self.shortLength
        else { return }
        unsafe append(
            name, Self.content(of: name, UnsafeBufferPointer(rebasing: value.prefix(Self.cutLength))))
    }

    /// A value without the white space at its ends. Of pseudo-headers it is part, and makes them invalid.
    private static func content(
        of name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
    ) -> UnsafeBufferPointer<UInt8> {
        guard let first = unsafe value.first, let last = unsafe value.last else { return unsafe value }
        guard isSpace(first) || isSpace(last), unsafe name.first != UInt8(ascii: ":") else {
            return unsafe value
        }
        let rest = unsafe value.drop(while: isSpace)
        guard let end = unsafe rest.lastIndex(where: { !isSpace($0) }) else {
            return unsafe UnsafeBufferPointer(rebasing: value[..<0])
        }
        return unsafe UnsafeBufferPointer(rebasing: value[rest.startIndex...end])
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
