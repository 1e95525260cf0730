import Dispatch
import Glibc
import SumCore
import Synchronization
import SystemPackage

/// Writes lines to a descriptor on a queue of its own: whoever does not read them holds up nothing but them.
///
/// It may be a pipe, a socket, a terminal or a file, and may be shared with other programs, so its flags stay as they are.
final class LineWriter: Sendable {
    static let standardOutput = LineWriter(.standardOutput)
    static let standardError = LineWriter(.standardError)

    private struct Line {
        var text: String
        /// The lines lost before it, of which it tells.
        var lostBefore: Int
    }

    private struct State {
        var waiting: [Line] = []
        var waitingBytes = 0
        /// Lines lost that no other has told of.
        var lost = 0
        var isDraining = false
    }

    /// Bytes that may wait; the lines beyond are lost.
    private static let capacity = 256 << 10
    /// Bytes of one write, unless a line is longer: what a pipe takes in one piece, so that the lines of several
    /// programs stay whole (pipe(7), PIPE_BUF).
    private static let pieceSize = 4096

    private let descriptor: FileDescriptor
    private let queue: DispatchQueue
    private let state = Mutex(State())

    init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
        queue = DispatchQueue(label: "lines of descriptor \(descriptor.rawValue)")
    }

    /// The lines lost so far, of which the caller's next line has to tell.
    func takeLost() -> Int {
        state.withLock { state in
            defer { state.lost = 0 }
            return state.lost
        }
    }

    /// - Parameter lostBefore: what `takeLost` said for this line.
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

    /// Waits until what there is has been written, but for a second at most.
    func flush() {
        guard state.withLock({ $0.isDraining }) else { return }
        let isDone = DispatchSemaphore(value: 0)
        queue.async { isDone.signal() }
        _ = isDone.wait(timeout: .now() + .seconds(1))
    }

    /// Writes the last line from this thread, as the only one there may be, unless that takes longer than a second.
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
