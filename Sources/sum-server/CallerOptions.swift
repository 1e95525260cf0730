import ArgumentParser
import SumCore

/// The options for who may call, and how much of the server one caller may take.
struct CallerOptions: ParsableArguments {
    private typealias Ranges = GRPCServer.Configuration.Ranges
    private static let defaults = GRPCServer.Configuration()

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            File of bearer tokens, one of which each call must have: in each line a token of 16 bytes or more, and its \
            owner's name. It is read again on SIGHUP, and every 30 seconds. (default: anybody may call)
            """, valueName: "file"), completion: .file())
    var authTokenFile: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: .init(
            """
            Who may call: a name, 'NAME*', '*NAME' or '*', matched with the URIs and DNS names of the caller's \
            certificate, and the name of its token; can be repeated. (default: every token's owner)
            """, valueName: "pattern"),
        transform: { text in try CallerPattern(text) })
    var allowPeer: [CallerPattern] = []

    @Flag(help: "Require a token and a certificate, instead of either.")
    var requireBoth = false

    @Flag(
        inversion: .prefixedNo, help: "Let anybody call the health service, such as probes without a token.")
    var openHealth = true

    @Option(
        number: """
            Calls in a row that may be refused because of their caller before the connection is ended. Set it high \
            behind a proxy that shares a connection among clients.
            """,
        in: Ranges.maxRefusedCalls)
    var maxRefusedCalls = defaults.maxRefusedCalls

    @Option(
        number: """
            Most open connections of one address, or IPv6 /64. A proxy is one address too. (default: unlimited)
            """, in: Ranges.maxConnectionsPerPeer)
    var maxConnectionsPerPeer: Int?

    @Option(
        number: """
            New connections allowed to one address, or IPv6 /64 (burst; refills by a tenth per second). (default: \
            unlimited)
            """, in: Ranges.maxNewConnectionsPerPeer)
    var maxNewConnectionsPerPeer: Int?

    @Option(
        number: """
            Most open calls of one caller over all its connections: of a principal, or else of an address. (default: \
            unlimited)
            """, in: Ranges.maxCallsPerCaller)
    var maxCallsPerCaller: Int?

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Networks of proxies that begin each connection with a PROXY protocol header, version 1 or 2: CIDR, an \
            address, or 'unix', separated by commas. From elsewhere, connections are taken as they are. (default: none)
            """, valueName: "networks"),
        transform: { text in try TrustedNetworks(text) })
    var proxyProtocol: TrustedNetworks?

    func validate() throws {
        guard !requireBoth || authTokenFile != nil && !allowPeer.isEmpty else {
            throw ValidationError("--require-both requires --auth-token-file and --allow-peer")
        }
    }

    var settings: CallerSettings {
        CallerSettings(
            tokenFile: authTokenFile, patterns: allowPeer, requiresBoth: requireBoth, opensHealth: openHealth)
    }

    /// Sets the limits of one caller.
    func apply(to configuration: inout GRPCServer.Configuration) {
        configuration.maxRefusedCalls = maxRefusedCalls
        configuration.maxConnectionsPerPeer = maxConnectionsPerPeer
        configuration.maxNewConnectionsPerPeer = maxNewConnectionsPerPeer
        configuration.maxCallsPerCaller = maxCallsPerCaller
        configuration.proxyProtocol = proxyProtocol
    }
}
