internal import CNghttp2

/// Lends header fields to C, laid out as nghttp2 takes them. The layout is kept, since the next list is mostly the
/// same.
@safe struct NameValueArray: ~Copyable {
    private var fields: [HTTP2Field] = []
    /// Names and values, one behind the other; `pairs` point into them.
    private var bytes = unsafe UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    private var pairs = unsafe [nghttp2_nv]()

    deinit {
        unsafe bytes.deallocate()
    }

    /// Lends `fields` for the length of `body`.
    ///
    /// Sound because `bytes` lives until the next layout takes its place together with `pairs`, and nghttp2 copies
    /// names and values while it is called (NGHTTP2_NV_FLAG_NONE).
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
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
        }
    }

    private func append(_ text: String, at end: inout Int) -> (UnsafeMutablePointer<UInt8>?, Int) {
        let place = unsafe UnsafeMutableBufferPointer(rebasing: bytes[end...])
        let count = unsafe place.update(fromContentsOf: text.utf8)
        end += count
        return (place.baseAddress, count)
    }
}
