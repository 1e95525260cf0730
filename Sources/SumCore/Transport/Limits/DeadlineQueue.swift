internal import HeapModule
internal import NIOCore

/// The times at which to check the streams of a connection, earliest first.
///
/// Nothing is removed when a stream ends early: whoever takes an entry checks whether it is still valid. The queue is
/// rebuilt when most entries are invalid, so it is never much longer than the number of streams.
struct DeadlineQueue {
    private struct Entry: Comparable {
        var moment: NIODeadline
        var streamID: Int32

        static func < (one: Entry, other: Entry) -> Bool { one.moment < other.moment }
    }

    private var heap = Heap<Entry>()
    /// Entries that are kept without checking whether they are valid.
    private static let slack = 64

    /// The earliest time; nil if there is none.
    var next: NIODeadline? { heap.min?.moment }

    /// - Parameters:
    ///   - streamCount: the number of streams. Each has at most one valid entry.
    ///   - counts: whether a stream still waits for a moment.
    mutating func add(
        _ moment: NIODeadline, of streamID: Int32, streamCount: Int, counts: (Int32, NIODeadline) -> Bool
    ) {
        if heap.count >= 2 * streamCount + Self.slack {
            // A stream may have been added twice for the same moment.
            var kept = Set<Int32>()
            heap = Heap(
                heap.unordered.filter { counts($0.streamID, $0.moment) && kept.insert($0.streamID).inserted })
        }
        heap.insert(Entry(moment: moment, streamID: streamID))
    }

    /// Takes the earliest entry that is due; nil if there is none.
    mutating func popFirst(at now: NIODeadline) -> (streamID: Int32, moment: NIODeadline)? {
        guard let first = heap.min, first.moment <= now else { return nil }
        heap.removeMin()
        return (first.streamID, first.moment)
    }
}
