internal import NIOCore

/// Memory that a session needs only while it works. The sessions of one event loop share it, since they work one after
/// the other; so it is not thread-safe.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
@safe final class SessionMemory {
    /// Blocks for nghttp2; each session has `SessionBlocks` to take them.
    let blocks = BlockAllocator()
    /// The header fields of requests or responses, laid out for nghttp2. Those of several connections are often the same.
    @safe @exclusivity(unchecked) var fields = FieldLayouts()
    /// The same for trailers.
    @safe @exclusivity(unchecked) var trailers = FieldLayouts()
    /// An empty queue whose storage is reused for a session's next events. It has none while a session has it.
    @safe @exclusivity(unchecked) private var events = EventQueue()
    /// A buffer whose storage is reused for a session's next output; nil while a session has it.
    @safe @exclusivity(unchecked) private var output: ByteBuffer?

    /// The largest buffer to keep, in bytes.
    private static let outputLimit = 8 << 10

    /// Gives storage to a queue that has none.
    func lend(_ queue: inout EventQueue) {
        swap(&queue, &events)
    }

    /// Takes the storage of a queue, if it is empty.
    func takeBack(_ queue: inout EventQueue) {
        guard queue.isEmpty else { return }
        if queue.capacity > events.capacity { swap(&queue, &events) }
        queue = EventQueue()
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
