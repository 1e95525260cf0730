import SumCore
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

    /// Finds out, before anything is sent, whether the input can be read, as far as this can be known without opening
    /// what may have only one reader, or may wait for a writer: a FIFO, or a device.
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

    /// Opens it; waits until somebody writes, if it is a FIFO.
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
    case notANumber(place: String, word: String, hint: String? = nil)
    case io(String)
}

/// Reads blocks of text and turns them into numbers. Blocks its thread while the source has nothing.
struct InputReader {
    /// A block is as long as what the source gives at once, up to this many bytes.
    private static let blockSize = 256 << 10

    private let input: Input
    private let descriptor: FileDescriptor
    private var parser = NumberParser()
    private var text = [UInt8](repeating: 0, count: blockSize)

    /// Opens the input, which is to be done when its turn has come: there may be more inputs than descriptors.
    init(_ input: Input) throws(InputError) {
        self.input = input
        descriptor = try input.open()
    }

    /// Replaces `numbers` by the next ones, as many as one read gives.
    ///
    /// - Returns: false at the end of the input, which may give a last number.
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
