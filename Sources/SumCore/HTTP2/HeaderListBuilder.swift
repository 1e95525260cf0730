/// Collects the fields of a header block as nghttp2 decodes them.
///
/// Header blocks on a connection are mostly alike. Fields that equal those of the previous block of the same kind are
/// reused, and a block that is equal as a whole is the same array, which makes it cheap to compare.
struct HeaderListBuilder {
    /// The previous valid block of the same kind; nil if there is none.
    private(set) var earlier: KnownBlock?
    /// How many leading fields are equal to those of `earlier`.
    private var repeated = 0
    /// All fields, as soon as one differs from `earlier`, and their buffers.
    private var changed: [HTTP2Field] = []
    private var changedBuffers = FieldBuffers?.none
    /// The bytes of the list, counted as in RFC 9113 section 6.5.2, and the number of its fields, kept or not.
    private(set) var (size, length) = (0, 0)
    private(set) var isTooLong = false
    /// The reason why the first invalid field is invalid.
    private(set) var fault: String?

    /// In a list that is too long: bytes kept of the first value over the limit, and of the longest name or value kept
    /// after it.
    private static let (cutLength, shortLength) = (256, 64)
    /// The multiple of a limit at which counting stops.
    private static let farFactor = 8

    init(after earlier: KnownBlock? = nil) {
        self.earlier = earlier
    }

    /// Begins another block.
    ///
    /// - Parameter earlier: the previous valid one of the same kind.
    mutating func begin(after earlier: KnownBlock?) {
        // The last block has usually left nothing but its counts.
        guard changed.isEmpty, fault == nil, !isTooLong else {
            self = HeaderListBuilder(after: earlier)
            return
        }
        self.earlier = earlier
        (repeated, size, length) = (0, 0, 0)
    }

    private var count: Int { changed.isEmpty ? repeated : changed.count }

    var fields: [HTTP2Field] {
        changed.isEmpty ? earlier.map { Array($0.fields.prefix(repeated)) } ?? [] : changed
    }

    /// The buffers of `fields`.
    var buffers: FieldBuffers {
        (changed.isEmpty ? earlier?.buffers.prefix(repeated) : changedBuffers) ?? FieldBuffers()
    }

    /// The previous block, if this one equals it.
    var repeatedBlock: KnownBlock? {
        guard let earlier, changed.isEmpty, repeated == earlier.fields.count, fault == nil, !isTooLong else {
            return nil
        }
        return earlier
    }

    /// Adds a field if its buffers show that it equals that of the previous block. It is within the limits, as that was.
    ///
    /// - Returns: whether it is. If not, `add` must be called.
    mutating func addRepeated(name: OpaquePointer, value: OpaquePointer) -> Bool {
        guard changed.isEmpty, let field = earlier?.buffers.field(at: repeated),
            unsafe field.isIn(name, value) || field.equals(name, value)
        else { return false }
        repeated += 1
        size += field.listSize
        length += 1
        return true
    }

    /// Adds a field, without the white space around its value, which is not part of it (RFC 9110 section 5.5).
    /// If the list exceeds a limit, its beginning is kept, and short fields of the rest.
    ///
    /// - Parameter buffers: nghttp2's buffers of `name` and `value`.
    /// - Returns: false if the list is so long that only an attacker would send it; the rest need not be decoded.
    mutating func add(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>,
        buffers: (name: OpaquePointer, value: OpaquePointer)? = nil, maxSize: Int, maxCount: Int
    ) -> Bool {
        let listSize = HTTP2Field.listSize(nameLength: name.count, valueLength: value.count)
        size += listSize
        length += 1
        if !isTooLong, size <= maxSize, length <= maxCount {
            guard fault == nil else { return true }
            if unsafe append(name, Self.content(of: name, value)), let buffers = unsafe buffers {
                unsafe changedBuffers?.append(
                    name: buffers.name, value: buffers.value, listSize: listSize)
            }
            return true
        }
        if fault == nil { unsafe addBeyondLimit(name, value, maxCount: maxCount) }
        return size / Self.farFactor <= maxSize && length / Self.farFactor <= maxCount
    }

    /// - Returns: whether the field was added to `changed`.
    private mutating func append(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        let known = earlier.flatMap { $0.fields.count > count ? $0.fields[count] : nil }
        let isRepeated = unsafe known?.matches(name: name, value: value) ?? false
        if isRepeated, changed.isEmpty {
            repeated += 1
            return false
        }
        if changed.isEmpty { (changed, changedBuffers) = (fields, buffers) }
        if isRepeated, let known {
            changed.append(known)
            return true
        }
        fault = unsafe MessageRules.fault(name: name, value: value)
        guard fault == nil else { return false }
        changed.append(
            unsafe HTTP2Field(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        return true
    }

    private mutating func addBeyondLimit(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, maxCount: Int
    ) {
        let isFirst = !isTooLong
        isTooLong = true
        guard length <= maxCount, name.count <= Self.shortLength,
            isFirst || value.count <= Self.shortLength
        else { return }
        _ = unsafe append(
            name, Self.content(of: name, UnsafeBufferPointer(rebasing: value.prefix(Self.cutLength))))
    }

    /// The value without the white space around it. In pseudo-headers the white space is kept, and makes them invalid.
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
