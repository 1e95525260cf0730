/// Why a certificate, a key or a CA cannot be used.
public struct TLSConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, with the file and what to do, for people.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
