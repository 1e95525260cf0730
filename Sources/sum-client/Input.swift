import NIOPosix
import Synchronization
import SystemPackage

/// Where numbers come from, beside the command line.
enum Input: Equatable {
    case standardInput
    case file(String)

    /// The name in messages.
    var name: String {
        switch self {
        case .standardInput: "stdin"
        case .file(let path): path
        }
    }

    func open() throws(InputError) -> FileDescriptor {
        switch self {
        case .standardInput: return .standardInput
        case .file(let path):
            do {
                return try FileDescriptor.open(FilePath(path), .readOnly)
            } catch {
                throw .io("\(path): \(error)")
            }
        }
    }
}

/// Why the input could not be used.
enum InputError: Error, Equatable {
    case notANumber(place: String, word: String)
    case io(String)
}

/// Reads blocks of text and turns them into numbers, on a thread where it may block.
final class InputReader: Sendable {
    /// A block is as long as what the source gives at once, up to this many bytes.
    private static let blockSize = 256 << 10

    private let input: Input
    private let descriptor: FileDescriptor
    /// Has a lock because the threads change; they take turns.
    private let state = Mutex(State())

    private struct State {
        var parser = NumberParser()
        var text = [UInt8](repeating: 0, count: blockSize)
        /// Storage for the next numbers.
        var spare: [Int32] = []
    }

    init(_ input: Input) throws(InputError) {
        self.input = input
        descriptor = try input.open()
    }

    /// What one read gave; the last one may have numbers too.
    private struct Block {
        var numbers: [Int32]
        var isLast = false
        var failure: InputError?
    }

    /// Gives the numbers to `body` in batches, each as soon as it has been read; the next one is read meanwhile.
    func forEachBatch<Failure: Error>(_ body: ([Int32]) async throws(Failure) -> Void) async throws {
        defer { if input != .standardInput { try? descriptor.close() } }
        var block = try await nextBlock()
        while !block.isLast {
            async let following = nextBlock()
            try await body(block.numbers)
            state.withLock { $0.spare = block.numbers }
            block = try await following
        }
        if !block.numbers.isEmpty { try await body(block.numbers) }
        if let failure = block.failure { throw failure }
    }

    private func nextBlock() async throws -> Block {
        try await NIOThreadPool.singleton.runIfActive { self.state.withLock { self.read(&$0) } }
    }

    private func read(_ state: inout State) -> Block {
        var block = Block(numbers: state.spare)
        state.spare = []
        block.numbers.removeAll(keepingCapacity: true)
        do {
            let count = try unsafe state.text.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
            block.isLast = count == 0
            if block.isLast {
                try state.parser.finish(into: &block.numbers)
            } else {
                let text = state.text
                try state.parser.parse(text.span.extracting(..<count), into: &block.numbers)
            }
        } catch let bad as NumberParser.BadNumber {
            block.isLast = true
            block.failure = .notANumber(place: "\(input.name):\(bad.line):\(bad.column)", word: bad.word)
        } catch {
            block.isLast = true
            block.failure = .io("\(input.name): \(error)")
        }
        return block
    }
}
