internal import CNghttp2

extension [HTTP2Field] {
    /// Lends the fields to C for the length of `body`.
    ///
    /// Sound because nghttp2 copies names and values while it is called (NGHTTP2_NV_FLAG_NONE), and the bytes
    /// they point into live until `body` returns.
    func withNameValuePairs<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count })
        for field in self {
            bytes.append(contentsOf: field.name.utf8)
            bytes.append(contentsOf: field.value.utf8)
        }
        return unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            var offset = 0
            var pairs = unsafe [nghttp2_nv]()
            for field in self {
                let name = unsafe bytes.baseAddress.map { unsafe $0 + offset }
                let (nameLength, valueLength) = (field.name.utf8.count, field.value.utf8.count)
                unsafe pairs.append(
                    nghttp2_nv(
                        name: name, value: name.map { unsafe $0 + nameLength }, namelen: nameLength,
                        valuelen: valueLength, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
                offset += nameLength + valueLength
            }
            return unsafe pairs.withUnsafeBufferPointer { unsafe body($0.baseAddress, $0.count) }
        }
    }
}
