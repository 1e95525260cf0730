import Testing

@testable import SumCore

@Suite struct CallerPolicyTests {
    private static let batch = "0123456789abcdef"
    private static let nameless = "fedcba9876543210"

    private enum Outcome: Equatable {
        case caller(String?)
        case unauthenticated(String)
        case denied(String)
    }

    private static func tokens() throws -> TokenTable {
        try TokenTable(Array("\(batch) batch\n\(nameless)".utf8))
    }

    private static func outcome(
        _ policy: CallerPolicy, _ fields: [String], _ identities: [PeerIdentity]? = nil
    ) throws -> Outcome {
        var context = ServerCallContext.sample()
        context.metadata = GRPCMetadata(received: fields.map { HTTP2Field("authorization", $0) })
        context.peer.certificate = identities.map(PeerCertificate.init)
        do throws(GRPCStatus) {
            return .caller(try policy.principal(of: context))
        } catch {
            let message = error.message
            #expect(!message.contains(batch))
            return error.code == .unauthenticated ? .unauthenticated(message) : .denied(message)
        }
    }

    @Test(
        "abuse-A1: the token is read as RFC 6750 and RFC 9110 say, and anything else counts as none",
        arguments: [
            (["Bearer \(batch)"], true), (["bearer \(batch)"], true), (["BEARER    \(batch)"], true),
            ([], false), ([batch], false), (["Basic \(batch)"], false), (["Bearer"], false),
            (["Bearer\t\(batch)"], false), (["Bearer \(batch)x"], false), (["Bearer \(batch) x"], false),
            (["Bearer \(batch),"], false), (["Bearer \"\(batch)\""], false),
            (["Bearer \(batch)", "Bearer \(batch)"], false),
            (["Bearer x", "Bearer \(batch)"], false), (["Bearer ="], false),
        ])
    func reading(_ fields: [String], _ isAccepted: Bool) throws {
        let found = try Self.outcome(CallerPolicy(tokens: try Self.tokens()), fields)
        // The same words whatever is wrong.
        #expect(
            found == (isAccepted ? .caller("batch") : .unauthenticated("a valid bearer token is required")))
    }

    @Test("Tokens alone: their owners may call, and certificates do not count")
    func tokensAlone() throws {
        let policy = CallerPolicy(tokens: try Self.tokens())
        #expect(try Self.outcome(policy, ["Bearer \(Self.nameless)"]) == .caller(nil))
        #expect(
            try Self.outcome(policy, [], [.uri("spiffe://a/b")])
                == .unauthenticated("a valid bearer token is required"))
    }

    private static let patterns = ["spiffe://a/*", "*.example", "batch"]

    @Test("Certificates alone: URIs are matched, then DNS names, and nothing else of them")
    func certificatesAlone() throws {
        let policy = CallerPolicy(patterns: try Self.patterns.map(CallerPattern.init))
        let required = Outcome.unauthenticated("a client certificate is required")
        #expect(try Self.outcome(policy, []) == required)
        #expect(try Self.outcome(policy, ["Bearer \(Self.batch)"]) == required)
        let cases: [([PeerIdentity], Outcome)] = [
            ([.uri("spiffe://a/b")], .caller("spiffe://a/b")),
            ([.dns("x.example"), .uri("spiffe://a/b")], .caller("spiffe://a/b")),
            ([.dns("x.example"), .uri("spiffe://b/b")], .caller("x.example")),
            ([.dns("batch")], .caller("batch")),
            ([.uri("spiffe://b/a")], .denied("the caller 'spiffe://b/a' may not call this server")),
            (
                [.email("batch"), .ipAddress("batch")],
                .denied("the caller without a name may not call this server")
            ),
            ([], .denied("the caller without a name may not call this server")),
            (
                [.uri("x\u{1b}[2J")],
                .denied("the caller '\("x\u{1b}[2J".escapedForDisplay)' may not call this server")
            ),
        ]
        for (identities, outcome) in cases {
            #expect(try Self.outcome(policy, [], identities) == outcome, "\(identities)")
        }
    }

    @Test("Either suffices, and its names must match")
    func either() throws {
        var policy = CallerPolicy(
            tokens: try Self.tokens(), patterns: try Self.patterns.map(CallerPattern.init))
        #expect(
            try Self.outcome(policy, [])
                == .unauthenticated("a valid bearer token or a client certificate is required"))
        #expect(try Self.outcome(policy, ["Bearer \(Self.batch)"]) == .caller("batch"))
        #expect(try Self.outcome(policy, [], [.dns("x.example")]) == .caller("x.example"))
        #expect(try Self.outcome(policy, ["Bearer wrong"], [.dns("x.example")]) == .caller("x.example"))
        #expect(try Self.outcome(policy, ["Bearer \(Self.batch)"], [.dns("other")]) == .caller("batch"))
        #expect(
            try Self.outcome(policy, ["Bearer \(Self.nameless)"])
                == .denied("the caller without a name may not call this server"))
        policy.patterns = [try CallerPattern("*")]
        #expect(try Self.outcome(policy, ["Bearer \(Self.nameless)"]) == .caller(nil))
        policy.patterns = [try CallerPattern("other")]
        #expect(
            try Self.outcome(policy, ["Bearer \(Self.batch)"])
                == .denied("the caller 'batch' may not call this server"))
    }

    @Test("Both: what is missing is named, and the certificate's names must match")
    func both() throws {
        let policy = CallerPolicy(
            tokens: try Self.tokens(), patterns: [try CallerPattern("*.example")], requiresBoth: true)
        let token = ["Bearer \(Self.nameless)"]
        #expect(
            try Self.outcome(policy, [], [.dns("x.example")])
                == .unauthenticated("a valid bearer token is required"))
        #expect(try Self.outcome(policy, token) == .unauthenticated("a client certificate is required"))
        #expect(try Self.outcome(policy, token, [.dns("x.example")]) == .caller("x.example"))
        #expect(try Self.outcome(policy, ["Bearer \(Self.batch)"], [.dns("x.example")]) == .caller("batch"))
        #expect(
            try Self.outcome(policy, token, [.dns("other")])
                == .denied("the caller 'other' may not call this server"))
    }

    @Test("A policy without any requirement lets nobody call")
    func empty() throws {
        #expect(
            try Self.outcome(CallerPolicy(), [], [.dns("x")])
                == .unauthenticated("nobody may call this server"))
    }

    @Test(
        "Patterns have their star at one end",
        arguments: [
            ("a.b", ["a.b"], ["a.b.", "a", "A.b", ""]), ("a*", ["a", "abc"], ["b", "", "ba"]),
            ("*c", ["c", "abc"], ["cb", ""]), ("*", ["", "anything"], []),
            ("\u{e9}", ["\u{e9}"], ["e\u{301}"]), ("e*", ["e\u{301}"], []),
        ] as [(String, [String], [String])])
    func patterns(_ text: String, _ matching: [String], _ others: [String]) throws {
        let pattern = try CallerPattern(text)
        for name in matching { #expect(pattern.matches(name), "\(name)") }
        for name in others { #expect(!pattern.matches(name), "\(name)") }
    }

    @Test("A star elsewhere is refused", arguments: ["", "a*b", "*a*", "**", "a**"])
    func invalidPatterns(_ text: String) {
        #expect(throws: CallerPattern.Invalid.self) { try CallerPattern(text) }
    }
}
