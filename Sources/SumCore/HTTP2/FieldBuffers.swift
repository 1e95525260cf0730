internal import CNghttp2

/// The buffers that nghttp2 has decoded the fields of a header block into, so that the fields of the next block can be
/// recognized by their addresses.
///
/// A field from HPACK's tables is in the same buffers each time. Sound because this holds a reference to each buffer:
/// while it does, the bytes do not change, and the address is not used again. The count of references is not atomic, so
/// all of this belongs to the session's thread.
///
/// For the property without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
@safe final class FieldBuffers {
    @safe private struct Field {
        let name: OpaquePointer
        let value: OpaquePointer
        /// Bytes of the field in the header list.
        let listSize: Int
    }

    @safe @exclusivity(unchecked) private var fields: [Field] = []

    deinit {
        for field in fields {
            unsafe nghttp2_rcbuf_decref(field.name)
            unsafe nghttp2_rcbuf_decref(field.value)
        }
    }

    func append(name: OpaquePointer, value: OpaquePointer, listSize: Int) {
        unsafe nghttp2_rcbuf_incref(name)
        unsafe nghttp2_rcbuf_incref(value)
        unsafe fields.append(Field(name: name, value: value, listSize: listSize))
    }

    /// The first `count` fields.
    func prefix(_ count: Int) -> FieldBuffers {
        let prefix = FieldBuffers()
        for field in fields.prefix(count) {
            unsafe prefix.append(name: field.name, value: field.value, listSize: field.listSize)
        }
        return prefix
    }

    /// - Returns: bytes of the field in the header list, if field `index` is in these buffers.
    func listSize(at index: Int, name: OpaquePointer, value: OpaquePointer) -> Int? {
        guard index < fields.count else { return nil }
        let field = fields[index]
        return unsafe field.name == name && field.value == value ? field.listSize : nil
    }
}
