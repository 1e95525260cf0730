/// The command line, split into options and operands before ArgumentParser sees it. ArgumentParser would take `-2` for
/// an option, and needs seconds for ten thousand operands.
struct Arguments: Equatable {
    /// An operand and its place on the command line, counting all words from 1.
    struct Operand: Equatable {
        var place: Int
        var word: String
    }

    /// The words for ArgumentParser.
    private(set) var options: [String] = []
    /// Numbers, or `-` for standard input.
    private(set) var operands: [Operand] = []

    /// The options whose value is the next word. A test compares this list with ArgumentParser's. Not a set, whose type
    /// takes a tenth of a millisecond to be made.
    static let optionsWithValue: [String] = [
        "--target", "--connect-timeout", "--timeout", "--metadata", "--compress", "--retry",
        "--keepalive-time", "--keepalive-timeout", "--lb", "--chunk",
        "--proxy", "--user-agent", "-f", "--file", "--service", "--cacert", "--cert", "--key",
        "--key-passphrase-file", "--server-name", "--token-file", "--metadata-file",
        "--otlp", "--generate-completion-script",
    ]

    /// The short options without a value.
    static let flags: [Character] = ["h", "k", "v"]

    init(_ words: some Sequence<String>) {
        var expectsValue = false
        var allAreOperands = false
        for (index, word) in words.enumerated() {
            if expectsValue {
                options.append(word)
                expectsValue = false
            } else if allAreOperands || Self.isOperand(word) {
                operands.append(Operand(place: index + 1, word: word))
            } else if word == "--" {
                allAreOperands = true
            } else {
                let option = Self.read(word)
                options += option.words
                expectsValue = option.expectsValue
            }
        }
    }

    /// Splits an option into words that ArgumentParser understands, and tells whether the next word is its value.
    ///
    /// Short options may be written together. The last of them may take a value, which may be attached: `-vfPATH` is
    /// `-v -f PATH` (POSIX.1-2017, XBD 12.2).
    private static func read(_ word: String) -> (words: [String], expectsValue: Bool) {
        guard !word.hasPrefix("--") else { return ([word], optionsWithValue.contains(word)) }
        var rest = word.dropFirst()
        while let letter = rest.popFirst() {
            let option = "-\(letter)"
            if optionsWithValue.contains(option) {
                guard !rest.isEmpty, rest.first != "=" else { return ([word], rest.isEmpty) }
                let before = word.dropLast(rest.count + 1)
                return ((before == "-" ? [] : [String(before)]) + [option, String(rest)], false)
            }
            guard flags.contains(letter) else { break }
        }
        return ([word], false)
    }

    private static func isOperand(_ word: String) -> Bool {
        guard word.hasPrefix("-"), let second = word.dropFirst().first else { return true }
        return second.isASCII && second.isNumber
    }
}

extension Arguments {
    /// Returns the numbers on the command line and the inputs to read after them.
    ///
    /// - Parameter files: the paths given with `-f`; `-` is standard input.
    /// - Throws: the first operand that is not an int32.
    func numbersAndInputs(files: [String]) throws(InputError) -> (numbers: [Int32], inputs: [Input]) {
        var numbers: [Int32] = []
        var inputs = files.map { path in path == "-" ? Input.standardInput : .file(path) }
        for operand in operands {
            if operand.word == "-" {
                inputs.append(.standardInput)
            } else if let number = NumberParser.number(Array(operand.word.utf8).span) {
                numbers.append(number)
            } else {
                throw .notANumber(place: "argument \(operand.place)", word: operand.word)
            }
        }
        if numbers.isEmpty, inputs.isEmpty { inputs = [.standardInput] }
        return (numbers, inputs)
    }
}
