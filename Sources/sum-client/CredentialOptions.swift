import ArgumentParser

/// The options for what must not stand on the command line, which other users of the machine can read.
struct CredentialOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: .init(
            """
            File with a bearer token to send with each call; it is read again for each. It is sent over Unix domain \
            sockets and TLS only. (default: the environment's SUM_TOKEN)
            """, valueName: "file"), completion: .file())
    var tokenFile: String?

    @Flag(
        help: "Send the token also in clear text to a loopback address, where any user's process may listen.")
    var insecureToken = false

    @Option(
        parsing: .unconditional,
        help: .init("File with metadata to send, 'key: value' in each line.", valueName: "file"),
        completion: .file())
    var metadataFile: String?

    var settings: CredentialSettings {
        CredentialSettings(
            tokenFile: tokenFile, sendsTokenToLoopback: insecureToken, metadataFile: metadataFile)
    }
}
