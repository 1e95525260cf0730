import Dispatch
import Glibc
import SumCore
import Synchronization
public import SystemPackage

/// Writes lines to a file descriptor on a dispatch queue of its own, so that a reader that stops blocks nothing else.
///
/// The descriptor may be a pipe, a socket, a terminal or a file, and may be shared with other programs, so its flags
/// are not changed.
public final class LineWriter: Sendable {
    package static let standardOutput = LineWriter(.standardOutput)
    package static let standardError = LineWriter(.standardError)

    /// Lines that wait or are being written, each with its newline.
    private struct Lines {
        var bytes: [UInt8] = []
        /// Lines that report lost ones: where they end, and how many they report.
        var reports: [(end: Int, count: Int)] = []

        mutating func removeAll() {
            bytes.removeAll(keepingCapacity: true)
            reports.removeAll()
        }
    }

    private struct State {
        var waiting = Lines()
        /// Bytes that have left `waiting`, and are not written yet.
        var inFlight = 0
        /// Lost lines that no line has reported yet.
        var lost = 0
        var isDraining = false

        var isFull: Bool { waiting.bytes.count + inFlight >= capacity }
    }

    /// Bytes that may wait. Lines after them are lost.
    private static let capacity = 256 << 10
    /// Bytes per write, unless a single line is longer. A pipe takes this many atomically, so that the lines of several
    /// programs stay whole (pipe(7), PIPE_BUF).
    private static let pieceSize = 4096
    /// How long lines gather after others have been written. Waking the queue for each would cost an event loop more than
    /// making the line; at this interval, what can be made meanwhile fits the capacity.
    private static let pause = DispatchTimeInterval.milliseconds(2)

    private let descriptor: FileDescriptor
    private let queue: DispatchQueue
    /// Ends the pause.
    private let hurry = DispatchSemaphore(value: 0)
    private let state = Mutex(State())
    /// Whether systemd's journal reads the descriptor, which takes the priority of each line from its beginning.
    package let isJournal: Bool

    /// Creates a writer to a file descriptor, which it never closes.
    public init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
        isJournal = JournalPriority.isJournal(descriptor)
        queue = DispatchQueue(label: "lines of descriptor \(descriptor.rawValue)")
    }

    // MARK: Lines

    /// Returns how many lines were lost since the last call. The caller must report them in its next line.
    package func takeLost() -> Int {
        state.withLock { state in
            defer { state.lost = 0 }
            return state.lost
        }
    }

    /// Queues a line, or drops it if too much is waiting.
    ///
    /// - Parameters:
    ///   - line: with its newline.
    ///   - lostBefore: the count of lost lines that this line reports, from `takeLost`.
    package func write(_ line: String, lostBefore: Int = 0) {
        let mustStart = state.withLock { state in
            guard !state.isFull else {
                state.lost += lostBefore + 1
                return false
            }
            state.waiting.bytes += line.utf8
            return Self.added(lostBefore, &state)
        }
        if mustStart { startDraining() }
    }

    /// Queues a line without making a string of it, or drops it if too much is waiting.
    ///
    /// - Parameter append: appends the line and its newline to the bytes. It is given the count of lost lines, which the
    ///   line must report. It is called under a lock for which event loops wait: make the line before.
    package func append(_ append: (_ line: inout [UInt8], _ lostBefore: Int) -> Void) {
        let mustStart = state.withLock { state in
            guard !state.isFull else {
                state.lost += 1
                return false
            }
            append(&state.waiting.bytes, state.lost)
            defer { state.lost = 0 }
            return Self.added(state.lost, &state)
        }
        if mustStart { startDraining() }
    }

    private static func added(_ lostBefore: Int, _ state: inout State) -> Bool {
        if lostBefore > 0 { state.waiting.reports.append((state.waiting.bytes.count, lostBefore)) }
        defer { state.isDraining = true }
        return !state.isDraining
    }

    // MARK: The end

    /// Waits until the queued lines have been written, for at most one second.
    package func flush() {
        guard state.withLock({ $0.isDraining }) else { return }
        hurry.signal()
        let isDone = DispatchSemaphore(value: 0)
        queue.async { isDone.signal() }
        _ = isDone.wait(timeout: .now() + .seconds(1))
    }

    /// Whether no line waits.
    var isIdle: Bool { state.withLock { !$0.isDraining } }

    /// Flushes, and writes a last line from this thread, because there may be no other thread. Gives up if the
    /// descriptor does not become writable within a second.
    package func finish(with line: String) {
        flush()
        guard waitUntilWritable(milliseconds: 1000) else { return }
        try? descriptor.writeAllWaiting(line)
    }

    private func waitUntilWritable(milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&request, 1, milliseconds) > 0
    }

    // MARK: On the queue

    private func startDraining() {
        queue.async { [self] in
            var lines = Lines()
            while takeWaiting(&lines) {
                write(lines)
                _ = hurry.wait(timeout: .now() + Self.pause)
            }
        }
    }

    /// Exchanges `lines`, which have been written, for those that wait, so that both buffers are used again.
    private func takeWaiting(_ lines: inout Lines) -> Bool {
        lines.removeAll()
        var taken = lines
        let hasMore = state.withLock { state in
            swap(&taken, &state.waiting)
            state.inFlight = taken.bytes.count
            state.isDraining = state.inFlight > 0
            return state.isDraining
        }
        lines = taken
        return hasMore
    }

    private func write(_ lines: Lines) {
        var start = 0
        while start < lines.bytes.count {
            let piece = Self.piece(of: lines.bytes, from: start)
            do {
                try descriptor.writeAllWaiting(piece)
                state.withLock { $0.inFlight -= piece.count }
            } catch {
                let reported = lines.reports.reduce(0) { sum, report in
                    sum + (piece.startIndex < report.end && report.end <= piece.endIndex ? report.count : 0)
                }
                let count = piece.count { $0 == UInt8(ascii: "\n") }
                state.withLock { state in
                    state.lost += count + reported
                    state.inFlight -= piece.count
                }
            }
            start = piece.endIndex
        }
    }

    /// As many whole lines as fit in a write; at least one.
    private static func piece(of bytes: [UInt8], from start: Int) -> ArraySlice<UInt8> {
        let newline = UInt8(ascii: "\n")
        let end = min(start + pieceSize, bytes.count)
        if let last = bytes[start..<end].lastIndex(of: newline) { return bytes[start...last] }
        return bytes[start...(bytes[end...].firstIndex(of: newline) ?? bytes.count - 1)]
    }
}
