internal import CNghttp2
internal import Glibc

/// The buffers that nghttp2 has decoded the fields of a header block into, so that the fields of the next block can be
/// recognized by their addresses.
///
/// A field from HPACK's tables is in the same buffers each time. Sound because this holds a reference to each buffer:
/// while it does, the bytes do not change, and the address is not used again. The count of references is not atomic, so
/// all of this belongs to the session's thread.
///
/// For the property without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
@safe final class FieldBuffers {
    @safe struct Field {
        fileprivate let name: OpaquePointer
        fileprivate let value: OpaquePointer
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

    var count: Int { fields.count }

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

    /// Field `index`; nil if there are fewer.
    func field(at index: Int) -> Field? {
        index < fields.count ? fields[index] : nil
    }
}

extension FieldBuffers.Field {
    /// Whether a field is in these buffers.
    func isIn(_ name: OpaquePointer, _ value: OpaquePointer) -> Bool {
        unsafe self.name == name && self.value == value
    }

    /// Whether a field has the same name, and an equal value in another buffer, as those have that are not put into HPACK's
    /// tables, such as `:path`. Not inlined, so that the usual case saves no registers.
    @inline(never)
    func equals(_ name: OpaquePointer, _ value: OpaquePointer) -> Bool {
        guard unsafe self.name == name else { return false }
        let (known, new) = unsafe (nghttp2_rcbuf_get_buf(self.value), nghttp2_rcbuf_get_buf(value))
        return unsafe known.len == new.len && memcmp(known.base, new.base, new.len) == 0
    }
}
