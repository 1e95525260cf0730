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

/// Reads blocks of text and turns them into numbers. Blocks its thread while the source has nothing.
struct InputReader {
    /// A block is as long as what the source gives at once, up to this many bytes.
    private static let blockSize = 256 << 10

    private let input: Input
    private let descriptor: FileDescriptor
    private var parser = NumberParser()
    private var text = [UInt8](repeating: 0, count: blockSize)

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
            let count = try unsafe text.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
            if count == 0 {
                try parser.finish(into: &numbers)
            } else {
                let text = text
                try parser.parse(text.span.extracting(..<count), into: &numbers)
            }
            return count > 0
        } catch let bad as NumberParser.BadNumber {
            throw .notANumber(place: "\(input.name):\(bad.line):\(bad.column)", word: bad.word)
        } catch {
            throw .io("\(input.name): \(error)")
        }
    }

    func close() {
        if input != .standardInput { try? descriptor.close() }
    }
}
