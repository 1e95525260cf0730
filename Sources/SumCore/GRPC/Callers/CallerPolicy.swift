/// Who may call a server: callers with a token, with a certificate, or with both.
///
/// A caller is known by a token of `tokens`, or by a certificate, which counts if there are `patterns`. Of the known
/// callers, all may call if there are no patterns; otherwise those with a name that matches one.
public struct CallerPolicy: Sendable {
    /// The tokens that are accepted; nil if none are.
    public var tokens: TokenTable?
    /// What the names of those who may call look like. The names of a caller are the URIs and then the DNS names of its
    /// certificate, and the name of its token.
    public var patterns: [CallerPattern]
    /// Whether a caller needs a certificate as well as a token. Then only the names of certificates are matched.
    public var requiresBoth: Bool

    /// Creates a policy. Without tokens and patterns, nobody may call.
    public init(tokens: TokenTable? = nil, patterns: [CallerPattern] = [], requiresBoth: Bool = false) {
        self.tokens = tokens
        self.patterns = patterns
        self.requiresBoth = requiresBoth
    }

    /// The policy as a server's authorizer. It decides at once.
    public var authorizer: CallAuthorizer {
        CallAuthorizer(immediately: { context in try principal(of: context) })
    }

    /// The name of a caller that may call; nil for one whose token has no name.
    ///
    /// - Throws: UNAUTHENTICATED for a caller that is not known, PERMISSION_DENIED for one that may not call. The
    ///   status names what is required, and never says what is wrong with a token.
    func principal(of context: ServerCallContext) throws(GRPCStatus) -> String? {
        let owner = tokenOwner(context)
        let names = certificateNames(context.peer)
        if requiresBoth {
            guard case .known(let name) = owner else { throw Self.unauthenticated(Self.token) }
            guard let names else { throw Self.unauthenticated(Self.certificate) }
            guard let match = firstMatch(names) else { throw denied(names.first) }
            return name ?? match
        }
        switch (owner, names) {
        case (.known(let name), _) where patterns.isEmpty:
            return name
        case (.known(let name), _):
            let candidates = (names ?? []) + [name ?? ""]
            guard let match = firstMatch(candidates) else { throw denied(candidates.first) }
            return match.isEmpty ? nil : match
        case (.unknown, let names?):
            guard let match = firstMatch(names) else { throw denied(names.first) }
            return match
        case (.unknown, nil):
            let required = [tokens == nil ? nil : Self.token, patterns.isEmpty ? nil : Self.certificate]
            throw Self.unauthenticated(required.compactMap { $0 }.joined(separator: " or "))
        }
    }

    private static let token = "a valid bearer token"
    private static let certificate = "a client certificate"

    private static func unauthenticated(_ required: String) -> GRPCStatus {
        GRPCStatus(
            code: .unauthenticated,
            message: required.isEmpty ? "nobody may call this server" : "\(required) is required")
    }

    private func denied(_ name: String?) -> GRPCStatus {
        let name = (name ?? "").isEmpty ? "without a name" : "'\((name ?? "").escapedForDisplay)'"
        return GRPCStatus(code: .permissionDenied, message: "the caller \(name) may not call this server")
    }

    private func tokenOwner(_ context: ServerCallContext) -> TokenTable.Owner {
        guard let tokens, let token = context.bearerToken else { return .unknown }
        return tokens.owner(of: token.utf8)
    }

    /// The names of the caller's certificate that are matched; nil if it has shown none, or certificates do not count.
    private func certificateNames(_ peer: Peer) -> [String]? {
        guard !patterns.isEmpty, let identities = peer.certificate?.identities else { return nil }
        let uris = identities.compactMap { if case .uri(let name) = $0 { name } else { nil } }
        let hosts = identities.compactMap { if case .dns(let name) = $0 { name } else { nil } }
        return uris + hosts
    }

    private func firstMatch(_ names: [String]) -> String? {
        names.first { name in patterns.contains { $0.matches(name) } }
    }
}
