internal import CNghttp2

/// A list of header fields in the layout of nghttp2's `nva` arguments. The layout is kept, because the next list is
/// usually the same.
@safe struct NameValueArray: ~Copyable {
    private var fields: [HTTP2Field] = []
    /// Names and values, one after the other; `pairs` point into them.
    private var bytes = unsafe UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    private var pairs = unsafe [nghttp2_nv]()

    deinit {
        unsafe bytes.deallocate()
    }

    /// Calls `body` with `fields` as an array for nghttp2, which is valid only during the call.
    ///
    /// Sound because `bytes` and `pairs` are replaced together, by the next layout, and nghttp2 copies names and values
    /// during the call (NGHTTP2_NV_FLAG_NONE).
    mutating func lend<Result>(
        _ fields: [HTTP2Field], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        if fields != self.fields { layOut(fields) }
        return unsafe pairs.withUnsafeBufferPointer { unsafe body($0.baseAddress, $0.count) }
    }

    private mutating func layOut(_ fields: [HTTP2Field]) {
        self.fields = fields
        unsafe bytes.deallocate()
        let count = fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        unsafe bytes = .allocate(capacity: count)
        unsafe pairs.removeAll(keepingCapacity: true)
        var end = 0
        for field in fields {
            let (name, nameLength) = unsafe append(field.name, at: &end)
            let (value, valueLength) = unsafe append(field.value, at: &end)
            unsafe pairs.append(
                nghttp2_nv(
                    name: name, value: value, namelen: nameLength, valuelen: valueLength,
                    flags: UInt8(
                        HTTP2Field.isSecret(field.name)
                            ? NGHTTP2_NV_FLAG_NO_INDEX.rawValue : NGHTTP2_NV_FLAG_NONE.rawValue)))
        }
    }

    private func append(_ text: String, at end: inout Int) -> (UnsafeMutablePointer<UInt8>?, Int) {
        let place = unsafe UnsafeMutableBufferPointer(rebasing: bytes[end...])
        let count = unsafe place.update(fromContentsOf: text.utf8)
        end += count
        return (place.baseAddress, count)
    }
}
