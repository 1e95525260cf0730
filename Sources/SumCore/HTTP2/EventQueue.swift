/// The events of a session that have not been handled, in order.
///
/// An array copies each event for who handles it, and destroys it later. Here they are moved in and out, since a call has
/// up to eight.
///
/// Sound because `storage` is this queue's alone, and because the places from `start` to `end`, and no others, are
/// initialized.
@safe struct EventQueue: ~Copyable {
    private var storage = unsafe UnsafeMutableBufferPointer<HTTP2Event>(start: nil, count: 0)
    private var (start, end) = (0, 0)

    /// Events in the first storage: those of a call or two.
    private static let smallestCapacity = 16
    /// Events for which an empty queue keeps storage. Tiny frames on two streams in turn make thousands of a single read.
    private static let largestKept = 1 << 10

    deinit {
        unsafe storage.extracting(start..<end).deinitialize()
        unsafe storage.deallocate()
    }

    var isEmpty: Bool { start == end }
    /// Events for which there is storage.
    var capacity: Int { unsafe storage.count }

    mutating func append(_ event: consuming HTTP2Event) {
        if unsafe end == storage.count { makeRoom() }
        unsafe storage.initializeElement(at: end, to: event)
        end += 1
    }

    mutating func popFirst() -> HTTP2Event? {
        guard start < end else { return nil }
        let event = unsafe storage.moveElement(from: start)
        start += 1
        if start == end { reset() }
        return event
    }

    mutating func popLast() -> HTTP2Event? {
        guard start < end else { return nil }
        end -= 1
        return unsafe storage.moveElement(from: end)
    }

    private mutating func reset() {
        (start, end) = (0, 0)
        guard unsafe storage.count > Self.largestKept else { return }
        unsafe storage.deallocate()
        unsafe storage = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    private mutating func makeRoom() {
        let old = unsafe storage
        let count = end - start
        // Events move to the front if that gives enough room, else to new storage.
        if count > old.count / 2 || old.isEmpty {
            unsafe storage = .allocate(capacity: max(Self.smallestCapacity, 2 * old.count))
        }
        let waiting = unsafe UnsafeMutableBufferPointer(rebasing: old[start..<end])
        _ = unsafe storage.moveInitialize(fromContentsOf: waiting)
        (start, end) = (0, count)
        if unsafe storage.baseAddress != old.baseAddress { unsafe old.deallocate() }
    }
}
