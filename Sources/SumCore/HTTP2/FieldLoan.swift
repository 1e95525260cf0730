internal import CNghttp2

/// Lends header fields to C, and keeps the storage this takes for the next time. What is stored between loans is
/// not used.
@safe struct FieldLoan {
    private var bytes: [UInt8] = []
    private var pairs = unsafe [nghttp2_nv]()

    /// Lends `fields` for the length of `body`.
    ///
    /// Sound because nghttp2 copies names and values while it is called (NGHTTP2_NV_FLAG_NONE), and the bytes
    /// they point into live until `body` returns.
    mutating func lend<Result>(
        _ fields: [HTTP2Field], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        bytes.removeAll(keepingCapacity: true)
        unsafe pairs.removeAll(keepingCapacity: true)
        for field in fields {
            bytes.append(contentsOf: field.name.utf8)
            bytes.append(contentsOf: field.value.utf8)
        }
        return unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            var next = bytes.baseAddress
            for field in fields {
                let (nameLength, valueLength) = (field.name.utf8.count, field.value.utf8.count)
                unsafe pairs.append(
                    nghttp2_nv(
                        name: next, value: next.map { unsafe $0 + nameLength }, namelen: nameLength,
                        valuelen: valueLength, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
                unsafe next = next.map { unsafe $0 + nameLength + valueLength }
            }
            return unsafe pairs.withUnsafeBufferPointer { unsafe body($0.baseAddress, $0.count) }
        }
    }
}
