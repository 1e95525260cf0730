internal import Synchronization

/// The bearer tokens that a server accepts, as read from a file. They can be replaced while the server runs.
///
/// A line of the file has a token, and after white space the name of its owner, which is optional. Empty lines are ignored,
/// and so is the rest of a line after a word that begins with `#`.
public final class TokenTable: Sendable, CustomStringConvertible {
    /// The most bytes that the file may have.
    public static let fileLimit = 1 << 20
    /// The most bytes that one line may have.
    static let lineLimit = 4 << 10
    /// The most tokens.
    static let countLimit = 1000
    /// The fewest bytes of a token: 16 random bytes cannot be guessed.
    static let shortest = 16

    fileprivate struct Entry: Equatable {
        var token: [UInt8]
        var name: String?
    }

    /// Why a file has no usable tokens. It does not quote any.
    public struct InvalidFile: Error, Hashable, CustomStringConvertible {
        /// The reason, for people.
        public let description: String
    }

    private let entries: Mutex<[Entry]>

    /// Creates a table from the contents of a file.
    public init(_ contents: some Collection<UInt8>) throws(InvalidFile) {
        entries = Mutex(try Self.parse(contents))
    }

    /// Replaces all tokens, or none if the contents are invalid.
    ///
    /// - Returns: whether anything has changed.
    public func replace(with contents: some Collection<UInt8>) throws(InvalidFile) -> Bool {
        let new = try Self.parse(contents)
        return entries.withLock { entries in
            defer { entries = new }
            return entries != new
        }
    }

    /// What a token stands for.
    enum Owner: Equatable {
        case unknown
        /// The name is nil if the line has none.
        case known(name: String?)
    }

    /// Looks a token up. It is compared with every token of its length to the last byte, so that the time tells nothing
    /// about how much of a guess is right.
    func owner(of token: some Collection<UInt8>) -> Owner {
        let token = Array(token)
        // Sound without the lock, since the array is a value.
        let entries = entries.withLock { $0 }
        var found = -1
        for (index, entry) in entries.enumerated() where entry.token.count == token.count {
            if Self.difference(entry.token.span, token.span) == 0 { found = index }
        }
        return found < 0 ? .unknown : .known(name: entries[found].name)
    }

    /// All bits in which two texts of the same length differ.
    private static func difference(_ left: Span<UInt8>, _ right: Span<UInt8>) -> UInt8 {
        var bits: UInt8 = 0
        for index in left.indices { bits |= left[index] ^ right[index] }
        return bits
    }

    /// How many tokens there are, and none of them.
    public var description: String {
        let count = entries.withLock { $0.count }
        return count == 1 ? "1 token" : "\(count) tokens"
    }

    // MARK: The file

    private static func parse(_ contents: some Collection<UInt8>) throws(InvalidFile) -> [Entry] {
        var entries: [Entry] = []
        var seen: Set<[UInt8]> = []
        let newline = UInt8(ascii: "\n")
        for (index, line) in contents.split(separator: newline, omittingEmptySubsequences: false).enumerated()
        {
            guard let entry = try entry(line, number: index + 1) else { continue }
            guard seen.insert(entry.token).inserted else {
                throw InvalidFile(description: "line \(index + 1) has a token for the second time")
            }
            entries.append(entry)
            guard entries.count <= countLimit else {
                throw InvalidFile(description: "there are more than \(countLimit) tokens")
            }
        }
        guard !entries.isEmpty else { throw InvalidFile(description: "there is no token in it") }
        return entries
    }

    private static func entry(
        _ line: some Collection<UInt8>, number: Int
    ) throws(InvalidFile) -> Entry? {
        guard line.count <= lineLimit else {
            throw InvalidFile(description: "line \(number) has more than \(lineLimit) bytes")
        }
        let words = line.split {
            $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r")
        }
        .prefix { $0.first != UInt8(ascii: "#") }
        guard let token = words.first else { return nil }
        guard words.count <= 2 else {
            throw InvalidFile(description: "line \(number) has more than a token and a name")
        }
        guard token.count >= shortest else {
            throw InvalidFile(description: "the token in line \(number) has less than \(shortest) bytes")
        }
        guard BearerToken.isValid(token) else {
            throw InvalidFile(
                description:
                    "the token in line \(number) has other characters than letters, digits and -._~+/, and = at its end"
            )
        }
        return Entry(token: Array(token), name: words.count > 1 ? try name(words[1], number) : nil)
    }

    private static func name(
        _ bytes: some Collection<UInt8>, _ number: Int
    ) throws(InvalidFile) -> String {
        guard let name = String(validating: bytes, as: UTF8.self), name.escapedForDisplay == name else {
            throw InvalidFile(description: "the name in line \(number) is too long, or not printable")
        }
        return name
    }
}
