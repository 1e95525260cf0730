import Dispatch
import Glibc
import SumCore
import Synchronization
import SystemPackage

/// Writes lines to a file descriptor on a dispatch queue of its own, so that a reader that stops blocks nothing else.
///
/// The descriptor may be a pipe, a socket, a terminal or a file, and may be shared with other programs, so its flags
/// are not changed.
final class LineWriter: Sendable {
    static let standardOutput = LineWriter(.standardOutput)
    static let standardError = LineWriter(.standardError)

    private struct Line {
        var text: String
        /// The lost lines that this line reports.
        var lostBefore: Int
    }

    private struct State {
        var waiting: [Line] = []
        var waitingBytes = 0
        /// Lost lines that no line has reported yet.
        var lost = 0
        var isDraining = false
    }

    /// Bytes that may wait. Lines beyond this are lost.
    private static let capacity = 256 << 10
    /// Bytes per write, unless a single line is longer. A pipe takes this many atomically, so that the lines of several
    /// programs stay whole (pipe(7), PIPE_BUF).
    private static let pieceSize = 4096

    private let descriptor: FileDescriptor
    private let queue: DispatchQueue
    private let state = Mutex(State())

    init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
        queue = DispatchQueue(label: "lines of descriptor \(descriptor.rawValue)")
    }

    /// Returns how many lines were lost since the last call. The caller must report them in its next line.
    func takeLost() -> Int {
        state.withLock { state in
            defer { state.lost = 0 }
            return state.lost
        }
    }

    /// Queues a line, or drops it if too much is waiting.
    ///
    /// - Parameter lostBefore: the count of lost lines that this line reports, from `takeLost`.
    func write(_ line: String, lostBefore: Int = 0) {
        let line = Line(text: line, lostBefore: lostBefore)
        let mustStart = state.withLock { state in
            guard state.waitingBytes + line.text.utf8.count <= Self.capacity else {
                state.lost += lostBefore + 1
                return false
            }
            state.waiting.append(line)
            state.waitingBytes += line.text.utf8.count
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if mustStart { queue.async { self.drain() } }
    }

    /// Waits until the queued lines have been written, for at most one second.
    func flush() {
        guard state.withLock({ $0.isDraining }) else { return }
        let isDone = DispatchSemaphore(value: 0)
        queue.async { isDone.signal() }
        _ = isDone.wait(timeout: .now() + .seconds(1))
    }

    /// Flushes, and writes a last line from this thread, because there may be no other thread. Gives up if the
    /// descriptor does not become writable within a second.
    func finish(with line: String) {
        flush()
        guard waitUntilWritable(milliseconds: 1000) else { return }
        try? descriptor.writeAllWaiting(line)
    }

    private func drain() {
        while let lines = nextPiece() {
            do {
                try descriptor.writeAllWaiting(lines.map(\.text).joined())
            } catch {
                state.withLock { $0.lost += lines.reduce(0) { $0 + $1.lostBefore + 1 } }
            }
        }
    }

    private func nextPiece() -> [Line]? {
        state.withLock { state in
            guard let first = state.waiting.first else {
                state.isDraining = false
                return nil
            }
            var (count, size) = (1, first.text.utf8.count)
            while count < state.waiting.count, size + state.waiting[count].text.utf8.count <= Self.pieceSize {
                size += state.waiting[count].text.utf8.count
                count += 1
            }
            defer { state.waiting.removeFirst(count) }
            state.waitingBytes -= size
            return Array(state.waiting[..<count])
        }
    }

    private func waitUntilWritable(milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&request, 1, milliseconds) > 0
    }
}
