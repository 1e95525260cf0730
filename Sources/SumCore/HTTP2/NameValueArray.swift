internal import CNghttp2

/// A list of header fields in the layout of nghttp2's `nva` arguments.
@safe final class NameValueArray {
    let fields: [HTTP2Field]
    /// Names and values, one after the other; `pairs` point into them.
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private let pairs: UnsafeMutableBufferPointer<nghttp2_nv>
    /// Whether nghttp2 uses the names and values where they are.
    private(set) var isPermanent = false

    init(_ fields: [HTTP2Field]) {
        self.fields = fields
        let count = fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        unsafe bytes = .allocate(capacity: count)
        unsafe pairs = .allocate(capacity: fields.count)
        var end = 0
        for (index, field) in fields.enumerated() {
            let (name, nameLength) = unsafe append(field.name, at: &end)
            let (value, valueLength) = unsafe append(field.value, at: &end)
            unsafe pairs.initializeElement(
                at: index,
                to: nghttp2_nv(
                    name: name, value: value, namelen: nameLength, valuelen: valueLength,
                    flags: UInt8(
                        HTTP2Field.isSecret(field.name)
                            ? NGHTTP2_NV_FLAG_NO_INDEX.rawValue : NGHTTP2_NV_FLAG_NONE.rawValue)))
        }
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe pairs.deallocate()
    }

    private func append(_ text: String, at end: inout Int) -> (UnsafeMutablePointer<UInt8>?, Int) {
        let place = unsafe UnsafeMutableBufferPointer(rebasing: bytes[end...])
        let count = unsafe place.update(fromContentsOf: text.utf8)
        end += count
        return (place.baseAddress, count)
    }

    /// Calls `body` with the array, which is valid only during the call. nghttp2 copies the names and values during the
    /// call, unless they are permanent.
    func lend<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        unsafe body(pairs.baseAddress, pairs.count)
    }

    /// Lets nghttp2 use the names and values where they are, until their frames have been sent. The caller must keep this
    /// until the sessions that it was lent to are freed.
    func makePermanent() {
        isPermanent = true
        let flags = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        for index in unsafe pairs.indices { unsafe pairs[index].flags |= flags }
    }
}
