import NIOPosix
import SumCore
import SystemPackage

/// A source of numbers other than the command line.
enum Input: Equatable {
    case standardInput
    case file(String)

    /// The name used in messages.
    var name: String {
        switch self {
        case .standardInput: "stdin"
        case .file(let path): path
        }
    }

    /// Checks before anything is sent whether the input can be read. FIFOs and devices are not opened for this: they
    /// may allow only one reader, and opening a FIFO waits for a writer.
    func check() throws(InputError) {
        guard case .file(let path) = self else { return }
        do {
            switch try FilePath(path).stat().type {
            case .directory: throw Errno.isDirectory
            case .socket: throw InputError.io("\(path): it is a socket, which cannot be opened as a file")
            case .regular: try FileDescriptor.open(FilePath(path), .readOnly).close()
            default: break
            }
        } catch let error as InputError {
            throw error
        } catch {
            throw .io("\(path): \(error)")
        }
    }

    /// Opens the input. A FIFO makes this wait until there is a writer.
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

/// Why an input could not be used.
enum InputError: Error, Equatable {
    case notANumber(place: String, word: String, hint: String? = nil)
    case io(String)
}

/// Reads text in blocks and parses the numbers in it. Blocks its thread while the input has nothing to read.
struct InputReader {
    /// Bytes of the largest block. A block is what one read returns.
    private static let blockSize = 256 << 10

    private let input: Input
    private let descriptor: FileDescriptor
    private var parser = NumberParser()
    private var text = [UInt8](repeating: 0, count: blockSize)

    /// Opens the input. Create a reader only when its turn has come: there may be more inputs than file descriptors.
    init(_ input: Input) throws(InputError) {
        self.input = input
        descriptor = try input.open()
    }

    /// Replaces `numbers` by the numbers of the next block.
    ///
    /// - Returns: false at the end of the input, which may still yield a last number.
    /// - Throws: the first word that is not an int32, or why reading failed.
    mutating func read(_ numbers: inout [Int32]) throws(InputError) -> Bool {
        numbers.removeAll(keepingCapacity: true)
        do {
            let count = try unsafe text.withUnsafeMutableBytes { try unsafe descriptor.readWaiting(into: $0) }
            if count == 0 {
                try parser.finish(into: &numbers)
            } else {
                let text = text
                try parser.parse(text.span.extracting(..<count), into: &numbers)
            }
            return count > 0
        } catch let bad as NumberParser.BadNumber {
            throw .notANumber(
                place: "\(input.name):\(bad.line):\(bad.column)", word: bad.word,
                hint: bad.beginsAsUTF16 ? "UTF-16? Numbers are read as ASCII or UTF-8" : nil)
        } catch {
            throw .io("\(input.name): \(error)")
        }
    }

    func close() {
        if input != .standardInput { try? descriptor.close() }
    }
}

extension [Input] {
    /// Reads all inputs, one after another, and passes on the numbers of each block.
    ///
    /// It runs on a thread of its own, which reads may block, and which does the reading, parsing and encoding without
    /// switching threads.
    func readAll(_ consume: @escaping @Sendable ([Int32]) async throws -> Void) async throws {
        guard !isEmpty else { return }
        let thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await withTaskExecutorPreference(EventLoopExecutor(thread.next())) {
            for input in self { try await input.readAll(consume) }
        }
    }
}

extension Input {
    fileprivate func readAll(_ consume: @Sendable ([Int32]) async throws -> Void) async throws {
        var reader = try InputReader(self)
        defer { reader.close() }
        var numbers: [Int32] = []
        var isOpen = true
        while isOpen {
            isOpen = try reader.read(&numbers)
            try await consume(numbers)
        }
    }
}
