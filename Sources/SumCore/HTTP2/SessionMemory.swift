internal import NIOCore

/// Memory that a session needs only while it works. The sessions of one event loop share it, since they work one after
/// the other; so it is not thread-safe.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
@safe final class SessionMemory {
    /// The header fields of requests or responses, laid out for nghttp2. Those of several connections are often the same.
    var fields = NameValueArray()
    /// The same for trailers.
    var trailers = NameValueArray()
    /// An empty array whose storage is reused for a session's next events.
    @safe @exclusivity(unchecked) private var events: [HTTP2Event] = []
    /// A buffer whose storage is reused for a session's next output; nil while a session has it.
    @safe @exclusivity(unchecked) private var output: ByteBuffer?

    /// The largest buffer to keep, in bytes.
    private static let outputLimit = 8 << 10

    func takeEvents() -> [HTTP2Event] {
        var taken: [HTTP2Event] = []
        swap(&taken, &events)
        return taken
    }

    /// Takes an array back that is no longer needed.
    func giveBack(_ spent: consuming [HTTP2Event]) {
        guard spent.capacity > events.capacity else { return }
        // DATA events hold the memory of reads.
        spent.removeAll(keepingCapacity: true)
        events = spent
    }

    func takeOutput() -> ByteBuffer {
        guard var taken = output.take() else { return ByteBuffer() }
        // Allocates new memory if the channel has not written all of it.
        taken.clear()
        return taken
    }

    /// Takes a buffer back that is no longer needed.
    func giveBack(_ spent: ByteBuffer) {
        guard spent.capacity > output?.capacity ?? 0, spent.capacity <= Self.outputLimit else { return }
        output = spent
    }
}
