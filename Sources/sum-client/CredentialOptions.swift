import ArgumentParser
import Glibc
import SumCore
import SystemPackage

/// The options for what must not stand on the command line, which other users of the machine can read.
struct CredentialOptions: ParsableArguments {
    /// The most bytes of a file with a token, or with metadata.
    private static let fileLimit = 64 << 10
    static let variable = "SUM_TOKEN"

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            File with a bearer token to send with each call; it is read again for each. It is sent over Unix domain \
            sockets and TLS only. (default: the environment's SUM_TOKEN)
            """, valueName: "file"))
    var tokenFile: String?

    @Flag(
        help: "Send the token also in clear text to a loopback address, where any user's process may listen.")
    var insecureToken = false

    @Option(
        parsing: .unconditional,
        help: .init("File with metadata to send, 'key: value' in each line.", valueName: "file"))
    var metadataFile: String?

    /// The token to send; nil for none.
    ///
    /// - Throws: an error if the file has none that can be sent.
    func credentials() throws -> CallCredentials? {
        guard var credentials = try source() else { return nil }
        credentials.allowsLoopback = insecureToken
        return credentials
    }

    private func source() throws -> CallCredentials? {
        if let tokenFile {
            let path = FilePath(tokenFile)
            let first = try Self.token(in: path)
            // The output of another program can be read only once.
            let isRegular = (try? Stat(path))?.type == .regular
            return isRegular
                ? CallCredentials(reading: { try Self.token(in: path) }) : CallCredentials(token: first)
        }
        // Sound because getenv(3) returns nil, or a text that stays as long as nothing changes the environment.
        guard let value = unsafe getenv(Self.variable) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : CallCredentials(token: text)
    }

    private static func token(in path: FilePath) throws -> String {
        let bytes = try SmallFile.read(path, limit: fileLimit)
        let words = bytes.split { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
        guard words.count == 1 else {
            throw SmallFile.Failure(description: "\(path): there must be one token in it, and nothing else")
        }
        return String(decoding: words[0], as: UTF8.self)
    }

    /// The lines of the file with metadata; none without one. They may end with CRLF, and `#` begins a comment.
    func metadataLines() throws -> [String] {
        guard let metadataFile else { return [] }
        let bytes = try SmallFile.read(FilePath(metadataFile), limit: Self.fileLimit)
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let text = String(
                decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
            let isComment = text.utf8.first { $0 != UInt8(ascii: " ") } == UInt8(ascii: "#")
            return isComment || text.utf8.allSatisfy { $0 == UInt8(ascii: " ") } ? nil : text
        }
    }

    /// Checks what can be known before a connection is made.
    ///
    /// - Throws: if a token would be sent in clear text without leave.
    func check(_ targets: [Target], _ credentials: CallCredentials?) throws {
        guard credentials != nil, !insecureToken else { return }
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
