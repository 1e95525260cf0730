import NIOPosix
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

    init(_ input: Input) throws(InputError) {
        self.input = input
        descriptor = try input.open()
    }

    /// What one read gave.
    private struct Block {
        var numbers: [Int32] = []
        var parser: NumberParser
        var isLast = false
        var failure: InputError?
    }

    /// Gives the numbers to `body` in batches, each as soon as it has been read.
    func forEachBatch<Failure: Error>(_ body: ([Int32]) async throws(Failure) -> Void) async throws {
        defer { if input != .standardInput { try? descriptor.close() } }
        var parser = NumberParser()
        while true {
            let state = parser
            let block = try await NIOThreadPool.singleton.runIfActive { self.read(parser: state) }
            if !block.numbers.isEmpty { try await body(block.numbers) }
            if let failure = block.failure { throw failure }
            if block.isLast { return }
            parser = block.parser
        }
    }

    private func read(parser: NumberParser) -> Block {
        var block = Block(parser: parser)
        do {
            let text = try unsafe [UInt8](unsafeUninitializedCapacity: Self.blockSize) { buffer, count in
                count = try unsafe descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            block.isLast = text.isEmpty
            // The shortest number takes two bytes of text.
            block.numbers.reserveCapacity(text.count / 2 + 1)
            if text.isEmpty {
                try block.parser.finish(into: &block.numbers)
            } else {
                try block.parser.parse(text.span, into: &block.numbers)
            }
        } catch let bad as NumberParser.BadNumber {
            block.failure = .notANumber(place: "\(input.name):\(bad.line):\(bad.column)", word: bad.word)
        } catch {
            block.failure = .io("\(input.name): \(error)")
        }
        return block
    }
}
