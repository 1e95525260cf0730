internal import CNghttp2

/// Lists of header fields, laid out for nghttp2. The last layout is kept, because the next list is usually the same.
///
/// Sound because a layout that is lent twice in a row is kept, one of a few, as long as this, which belongs to a
/// `SessionMemory`. A session frees its nghttp2 session, and with it the frames that have not been sent, before it lets
/// go of that.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here: nghttp2 calls nobody
/// while a frame is submitted.
struct FieldLayouts {
    private var last = NameValueArray([])
    private var permanent: [NameValueArray] = []

    /// Lists that are kept. A client has one or two, but for a deadline, which makes each list another.
    private static let limit = 8

    /// Calls `body` with `fields` as an array for nghttp2, which is valid only during the call.
    mutating func lend<Result>(
        _ fields: [HTTP2Field], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        if fields == last.fields {
            if !last.isPermanent, permanent.count < Self.limit { keepLast() }
        } else {
            last = permanent.first { $0.fields == fields } ?? NameValueArray(fields)
        }
        return unsafe last.lend(body)
    }

    private mutating func keepLast() {
        last.makePermanent()
        permanent.append(last)
    }
}
