public import SumCore

/// Where a collector is: `http://HOST[:PORT]` for clear text, `https://HOST[:PORT]` for TLS, or a target of gRPC such as
/// `unix:/run/collector.sock`.
public struct OTLPEndpoint: Hashable, Sendable {
    /// Where collectors usually are.
    public static let `default` = "http://localhost:4317"

    /// The collector.
    public let target: Target
    /// Whether to use TLS; nil if the endpoint does not say.
    public let usesTLS: Bool?
    /// The path of a URL, for which gRPC has no use; nil if it is `/` or none.
    let ignoredPath: String?

    /// Why a text is no endpoint.
    public struct Invalid: Error, Hashable, CustomStringConvertible {
        /// What is wrong, for people. It may quote the text, unescaped.
        public let description: String
    }

    /// Parses an endpoint.
    ///
    /// - Throws: `Invalid` with the reason.
    public init(_ text: String) throws(Invalid) {
        let schemes = [("http://", false), ("https://", true)]
        guard let (scheme, usesTLS) = schemes.first(where: { text.lowercased().hasPrefix($0.0) }) else {
            guard !text.contains("://") || ["unix://", "dns://"].contains(where: text.hasPrefix) else {
                throw Invalid(description: "it must begin with http:// or https://, or be a target of gRPC")
            }
            target = try Self.target(text)
            self.usesTLS = target.isUnix ? false : nil
            ignoredPath = nil
            return
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else {
            throw Invalid(
                description: "user names and passwords do not belong in an endpoint, but in headers")
        }
        let path = rest.dropFirst(authority.count)
        // As a name of DNS, so that a host may have the name of another kind of target.
        target = try Self.target("dns:///\(authority)")
        self.usesTLS = usesTLS
        ignoredPath = path.isEmpty || path == "/" ? nil : String(path)
    }

    private static func target(_ text: String) throws(Invalid) -> Target {
        do throws(InvalidAddress) {
            return try Target(text, defaultPort: OTLPSettings.Destination.defaultPort)
        } catch {
            throw Invalid(description: error.description)
        }
    }
}
