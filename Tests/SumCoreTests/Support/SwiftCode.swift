/// Swift source without its comments and string literals. Code that is interpolated into a literal stays.
struct SwiftCode {
    private var rest: ArraySlice<UInt8>
    private var code: [UInt8] = []

    static func of(_ source: String) -> String {
        var scanner = SwiftCode(rest: Array(source.utf8)[...])
        scanner.readCode(isInterpolated: false)
        return String(decoding: scanner.code, as: UTF8.self)
    }

    private mutating func readCode(isInterpolated: Bool) {
        var depth = 0
        while let byte = rest.first {
            if take("//") {
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            } else if take("/*") {
                skipComment()
            } else if take("\"\"\"") {
                skipLiteral(endingWith: "\"\"\"")
            } else if take("\"") {
                skipLiteral(endingWith: "\"")
            } else {
                rest.removeFirst()
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") {
                    if isInterpolated, depth == 0 { return }
                    depth -= 1
                }
                code.append(byte)
            }
        }
    }

    private mutating func skipComment() {
        while !rest.isEmpty, !take("*/") {
            if take("/*") { skipComment() } else { rest.removeFirst() }
        }
    }

    private mutating func skipLiteral(endingWith end: String) {
        // A literal parts what stands on either side of it.
        code.append(UInt8(ascii: " "))
        while !rest.isEmpty, !take(end) {
            if take("\\(") {
                readCode(isInterpolated: true)
                code.append(UInt8(ascii: " "))
            } else {
                rest.removeFirst(take("\\") ? min(1, rest.count) : 1)
            }
        }
    }

    private mutating func take(_ token: String) -> Bool {
        guard rest.starts(with: token.utf8) else { return false }
        rest.removeFirst(token.utf8.count)
        return true
    }
}

extension SwiftCode {
    /// The identifiers and keywords of `code` that do not stand behind a dot: a nested type does not count as the one
    /// of the same name that is not nested.
    static func words(of code: some StringProtocol) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        var isMember = false
        for byte in Array(code.utf8) + [UInt8(ascii: "\n")] {
            if isWordByte(byte) {
                word.append(byte)
                continue
            }
            if !word.isEmpty, !isMember { words.append(String(decoding: word, as: UTF8.self)) }
            word.removeAll(keepingCapacity: true)
            isMember = byte == UInt8(ascii: ".")
        }
        return words
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}
