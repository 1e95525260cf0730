import ArgumentParser
import SumCore
import SystemPackage

/// Where the client's token comes from, and metadata that must not stand on the command line.
struct CredentialSettings {
    /// The most bytes of a file with a token, or with metadata.
    private static let fileLimit = 64 << 10
    static let variable = "SUM_TOKEN"

    /// The file of the token; nil for that of the environment.
    var tokenFile: String?
    /// Whether the token is sent in clear text to loopback addresses.
    var sendsTokenToLoopback = false
    /// The file of metadata; nil for none.
    var metadataFile: String?

    /// The token to send; nil for none.
    ///
    /// - Throws: an error if the file has none that can be sent.
    func credentials() throws -> CallCredentials? {
        guard var credentials = try source() else { return nil }
        credentials.allowsLoopback = sendsTokenToLoopback
        return credentials
    }

    private func source() throws -> CallCredentials? {
        if let tokenFile {
            let path = FilePath(tokenFile)
            let first = try Self.token(in: path)
            return SmallFile.isPipe(path)
                ? CallCredentials(token: first) : CallCredentials(reading: { try Self.token(in: path) })
        }
        return Environment.value(Self.variable).map { CallCredentials(token: $0) }
    }

    private static func token(in path: FilePath) throws -> String {
        let bytes = try SmallFile.read(path, limit: fileLimit)
        let words = bytes.split { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
        guard words.count == 1 else {
            throw SmallFile.Failure(
                description: "\(path.string.escapedWhole): there must be one token in it, and nothing else")
        }
        return String(decoding: words[0], as: UTF8.self)
    }

    /// A line of the file with metadata, and where it is.
    struct MetadataLine {
        var text: String
        var place: String
    }

    /// The lines of the file with metadata; none without one. They may end with CRLF, and `#` begins a comment.
    func metadataLines() throws -> [MetadataLine] {
        guard let metadataFile else { return [] }
        let bytes = try SmallFile.read(FilePath(metadataFile), limit: Self.fileLimit)
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return lines.enumerated().compactMap { index, line in
            let text = String(
                decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
            let isComment = text.utf8.first { $0 != UInt8(ascii: " ") } == UInt8(ascii: "#")
            guard !isComment, !text.utf8.allSatisfy({ $0 == UInt8(ascii: " ") }) else { return nil }
            return MetadataLine(text: text, place: "line \(index + 1) of \(metadataFile.escapedWhole)")
        }
    }

    /// Checks what can be known before a connection is made.
    ///
    /// - Throws: if a token would be sent in clear text without leave.
    func check(_ targets: [Target], _ credentials: CallCredentials?) throws {
        guard credentials != nil, !sendsTokenToLoopback else { return }
        for target in targets where !target.isUnix {
            let source = tokenFile == nil ? Self.variable : "--token-file"
            throw ValidationError(
                """
                the token of \(source) is sent over Unix domain sockets and TLS only, and \(target.description) is \
                neither; --insecure-token allows loopback addresses
                """)
        }
    }
}
