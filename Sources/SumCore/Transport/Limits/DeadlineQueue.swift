internal import HeapModule
internal import NIOCore

/// The moments at which the streams of a connection want to be looked at, the next one first.
///
/// Nothing is removed when a stream ends before its moment: whoever takes an entry checks whether it still counts. The
/// queue is rebuilt when most of its entries no longer do, so it is never much longer than there are streams.
struct DeadlineQueue {
    private struct Entry: Comparable {
        var moment: NIODeadline
        var streamID: Int32

        static func < (one: Entry, other: Entry) -> Bool { one.moment < other.moment }
    }

    private var heap = Heap<Entry>()
    /// Entries that are kept without a look at whether they still count.
    private static let slack = 64

    /// The first moment; nil when there is none.
    var next: NIODeadline? { heap.min?.moment }

    /// - Parameters:
    ///   - streamCount: how many streams there are, each with one moment that counts at most.
    ///   - counts: whether a stream still waits for a moment.
    mutating func add(
        _ moment: NIODeadline, of streamID: Int32, streamCount: Int, counts: (Int32, NIODeadline) -> Bool
    ) {
        if heap.count >= 2 * streamCount + Self.slack {
            // A stream may have been added for the same moment twice.
            var kept = Set<Int32>()
            heap = Heap(
                heap.unordered.filter { counts($0.streamID, $0.moment) && kept.insert($0.streamID).inserted })
        }
        heap.insert(Entry(moment: moment, streamID: streamID))
    }

    /// Takes the first entry whose moment has come; nil when there is none.
    mutating func popFirst(at now: NIODeadline) -> (streamID: Int32, moment: NIODeadline)? {
        guard let first = heap.min, first.moment <= now else { return nil }
        heap.removeMin()
        return (first.streamID, first.moment)
    }
}
