import InMemoryLogging
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import SumCore

/// Every setting of a server at 0, at both ends of its range, and beyond them.
@Suite(.timeLimit(.minutes(10))) struct ConfigurationRangeTests {
    private typealias Configuration = GRPCServer.Configuration

    /// A setting with the ends of its range, which are accepted; one step beyond is not.
    struct Setting: Sendable, CustomTestStringConvertible {
        var name: String
        var accepted: [@Sendable (inout GRPCServer.Configuration) -> Void]
        var refused: [@Sendable (inout GRPCServer.Configuration) -> Void]
        var testDescription: String { name }

        init(
            _ path: any WritableKeyPath<GRPCServer.Configuration, Int> & Sendable, _ name: String, _ low: Int,
            _ high: Int
        ) {
            self.name = name
            accepted = [low, high].map { value in { $0[keyPath: path] = value } }
            refused = [low - 1, -1, .min, high + 1, .max].map { value in { $0[keyPath: path] = value } }
        }

        init(
            _ path: any WritableKeyPath<GRPCServer.Configuration, Int?> & Sendable, _ name: String,
            _ low: Int,
            _ high: Int
        ) {
            self.name = name
            accepted = [low, high, nil].map { value in { $0[keyPath: path] = value } }
            refused = [low - 1, -1, .min, high + 1, .max].map { value in { $0[keyPath: path] = value } }
        }

        init(
            _ path: any WritableKeyPath<GRPCServer.Configuration, Duration> & Sendable, _ name: String,
            _ low: Duration
        ) {
            self.name = name
            let high = Duration.seconds(3_600_000_000)
            accepted = [low, high].map { value in { $0[keyPath: path] = value } }
            refused = [low - .nanoseconds(1), .seconds(-1), high + .nanoseconds(1), .seconds(Int64.max)].map {
                value in { $0[keyPath: path] = value }
            }
        }

        init(
            _ path: any WritableKeyPath<GRPCServer.Configuration, Duration?> & Sendable, _ name: String,
            _ low: Duration
        ) {
            self.name = name
            let high = Duration.seconds(3_600_000_000)
            accepted = [low, high, nil].map { value in { $0[keyPath: path] = value } }
            refused = [low - .nanoseconds(1), .seconds(-1), high + .nanoseconds(1), .seconds(Int64.max)].map {
                value in { $0[keyPath: path] = value }
            }
        }

        init(_ name: String, accepted: [UInt16?], refused: [UInt16]) {
            self.name = name
            self.accepted = accepted.map { value in { $0.unixSocketMode = value } }
            self.refused = refused.map { value in { $0.unixSocketMode = value } }
        }
    }

    static let settings: [Setting] = [
        Setting(\.maxConcurrentStreams, "maxConcurrentStreams", 1, 2_147_483_647),
        Setting(\.maxMessageSize, "maxMessageSize", 1, 4_294_967_295),
        Setting(\.maxHeaderListSize, "maxHeaderListSize", 512, 2_147_483_647),
        Setting(\.maxOverheadFrames, "maxOverheadFrames", 10, 2_147_483_647),
        Setting(\.maxResets, "maxResets", 0, 2_147_483_647),
        Setting(\.maxRefusedCalls, "maxRefusedCalls", 1, 2_147_483_647),
        Setting(\.maxConnectionsPerPeer, "maxConnectionsPerPeer", 1, 2_147_483_647),
        Setting(\.maxNewConnectionsPerPeer, "maxNewConnectionsPerPeer", 10, 2_147_483_647),
        Setting(\.maxCallsPerCaller, "maxCallsPerCaller", 1, 2_147_483_647),
        Setting(\.maxDecompressionExcess, "maxDecompressionExcess", 0, 4_294_967_295),
        Setting(\.handshakeTimeout, "handshakeTimeout", .milliseconds(1)),
        Setting(\.writeTimeout, "writeTimeout", .seconds(1)),
        Setting(\.keepaliveTime, "keepaliveTime", .seconds(1)),
        Setting(\.keepaliveTimeout, "keepaliveTimeout", .milliseconds(1)),
        Setting(\.minPingInterval, "minPingInterval", .zero),
        Setting(\.maxConnectionIdle, "maxConnectionIdle", .milliseconds(1)),
        Setting(\.maxConnectionAge, "maxConnectionAge", .milliseconds(1)),
        Setting(\.maxConnectionAgeGrace, "maxConnectionAgeGrace", .zero),
        Setting("unixSocketMode", accepted: [nil, 0o600, 0o777], refused: [0, 0o444, 0o1777, .max]),
    ]

    /// At the lowest value, the time may pass before the client has sent anything, on each of its connections, and
    /// only the number 0 is accepted.
    private static let withoutCall: Set = [
        "handshakeTimeout", "maxConnectionIdle", "maxConnectionAge", "maxMessageSize",
    ]

    @Test("audit-S3: a setting accepts its whole range, and nothing else", arguments: settings)
    func ends(_ setting: Setting) async throws {
        for change in setting.accepted {
            var configuration = Configuration()
            change(&configuration)
            guard !Self.withoutCall.contains(setting.name) else {
                try await withServer(configuration: configuration) { _, _ in }
                continue
            }
            let sum = try await withClient(configuration: configuration) { client in
                try await client.sum(of: [1, 2, 3])
            }
            #expect(sum == 6)
        }
        for change in setting.refused {
            var configuration = Configuration()
            change(&configuration)
            let error = await #expect(throws: Configuration.Invalid.self) {
                try await GRPCServer.start(
                    listeningOn: [.host("127.0.0.1", port: 0)], methods: [], configuration: configuration)
            }
            #expect(error?.setting == setting.name)
            #expect(error?.description.hasPrefix("\(setting.name) must be ") == true)
        }
    }

    @Test("audit-S3: the table has every setting with a range")
    func isComplete() {
        // The exceptions: a limit that is nil by default, and a flag.
        let others: Set = ["maxConnections", "permitsPingsWithoutCalls", "proxyProtocol", "authorize"]
        let names = Mirror(reflecting: Configuration()).children.compactMap(\.label)
        #expect(Set(names) == Set(Self.settings.map(\.name)).union(others))
    }

    @Test("audit-S3: the range of maxConnections")
    func connections() throws {
        for count in [0, -1, 2_147_483_648] {
            var configuration = Configuration()
            configuration.maxConnections = count
            #expect(throws: Configuration.Invalid.self) { try configuration.validate() }
        }
        for count in [1, 2_147_483_647, nil] {
            var configuration = Configuration()
            configuration.maxConnections = count
            try configuration.validate()
        }
    }

    @Test(
        "audit-S3: TCP_USER_TIMEOUT is set also for times beyond an int of milliseconds",
        arguments: [
            (TimeAmount.seconds(40), 40_000), (.hours(448), 1_612_800_000), (.hours(597), 2_147_483_647),
            (.hours(1_000_000), 2_147_483_647), (.nanoseconds(.max), 2_147_483_647),
        ])
    func userTimeout(_ time: TimeAmount, _ expected: Int) {
        #expect(Int(time.asUserTimeout) == expected)
    }

    private struct Broken: Error, CustomStringConvertible {
        var description: String { "it is broken" }
    }

    @Test("audit-S3: a connection that cannot be set up is logged")
    func setUpFailure() async throws {
        let log = InMemoryLogHandler()
        let logger = Logger(label: "test") { _ in log }
        let binder = ListenerFactory(
            logger: logger, log: ServerLog(logger: logger), userTimeout: .seconds(1), socketMode: nil
        ) { _, _ in throw Broken() }
        let listener = try await binder.bind(ListenEndpoint(.host("127.0.0.1", port: 0)))
        let port = try #require(listener.channel.localAddress?.port)
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(
            host: "127.0.0.1", port: port
        ).get()
        try await client.closeFuture.get()
        await listener.close()
        #expect(log.entries.map(\.message) == ["connection failed"])
        let error = "\(log.entries.first?.metadata["error"] ?? "")"
        #expect(error == "the connection could not be set up: it is broken")
        let peer = "\(log.entries.first?.metadata["peer"] ?? "")"
        #expect(peer.hasPrefix("127.0.0.1:"))
    }
}
