import Dispatch
import NIOCore
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

/// A client of several servers, over loopback.
@Suite(.timeLimit(.minutes(10))) struct SeveralServersTests {
    /// A name whose addresses a test changes.
    private final class Name: Resolver {
        private let known: Mutex<[ServerAddress]>
        let isStatic = false

        init(_ addresses: [String]) throws {
            known = Mutex(try Self.addresses(addresses))
        }

        func set(_ addresses: [String]) throws {
            let new = try Self.addresses(addresses)
            known.withLock { $0 = new }
        }

        func resolve() async -> Resolution {
            Resolution(addresses: known.withLock { $0 })
        }

        private static func addresses(_ texts: [String]) throws -> [ServerAddress] {
            try texts.map { text in
                let address = try HostAndPort(text)
                return ServerAddress(
                    socketAddress: try SocketAddress(ipAddress: address.host, port: address.port ?? 0),
                    description: text)
            }
        }
    }

    /// Counts the calls that a server gets.
    private final class Counter: ServerInterceptor {
        let count = Atomic(0)

        func intercept(
            _ context: ServerCallContext,
            next: (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
        ) throws(GRPCStatus) -> any ServerCallHandler {
            count.add(1, ordering: .relaxed)
            return try next(context)
        }
    }

    private struct Fleet {
        var servers: [GRPCServer]
        var counters: [Counter]

        var addresses: [String] { servers.map { $0.addresses[0].description } }
        var counts: [Int] { counters.map { $0.count.load(ordering: .relaxed) } }
    }

    private func withFleet(
        of count: Int, configuration: GRPCServer.Configuration = .init(),
        _ body: (Fleet) async throws -> Void
    ) async throws {
        var fleet = Fleet(servers: [], counters: [])
        for number in 1...count {
            let counter = Counter()
            fleet.servers.append(
                try await GRPCServer.start(
                    listeningOn: [.host("127.0.0.\(number)", port: 0)], methods: [SumNumbers.method()],
                    configuration: configuration, interceptors: [counter]))
            fleet.counters.append(counter)
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(fleet)) } catch { result = .failure(error) }
        for server in fleet.servers { await server.shutdown(within: .zero) }
        try result.get()
    }

    private func client(
        of name: any Resolver, _ policy: LoadBalancingPolicy,
        _ change: (inout GRPCClient.Configuration) -> Void = { _ in }
    ) throws -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.loadBalancing = policy
        configuration.connectTimeout = .seconds(60)
        change(&configuration)
        return GRPCClient(
            target: try Target("name.test:50051"), configuration: configuration, resolver: name)
    }

    /// Makes calls until each server has had one, so that each is connected.
    private func warmUp(_ client: GRPCClient, _ fleet: Fleet) async throws {
        while fleet.counts.contains(0) { #expect(try await client.sum(of: [1]) == 1) }
    }

    @Test(
        "grpc-K21: round robin gives each server the same share, one call after another and many at once",
        arguments: [GRPCClient.EventLoopAssignment.shared, .perConnection])
    func shares(_ loops: GRPCClient.EventLoopAssignment) async throws {
        try await withFleet(of: 3) { fleet in
            let client = try client(of: try Name(fleet.addresses), .roundRobin) { $0.eventLoops = loops }
            try await warmUp(client, fleet)
            let before = fleet.counts
            for number in 0..<300 {
                #expect(try await client.sum(of: [1, Int32(number)]) == 1 + Int32(number))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<30 {
                    group.addTask {
                        for number in 0..<10 {
                            let call = client.sumNumbers()
                            try await call.send(contentsOf: [Int32(task), Int32(number)])
                            let sum = try await call.closeAndReceive()
                            #expect(sum == Int32(task + number))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(zip(fleet.counts, before).map { $0 - $1 } == [200, 200, 200])
            await client.close()
        }
    }

    @Test("With pick_first one server gets all calls; after its end another, and a retry hides the change")
    func failover() async throws {
        try await withFleet(of: 3) { fleet in
            let client = try client(of: try Name(fleet.addresses), .pickFirst())
            var options = GRPCCallOptions()
            options.maxRetries = 3
            for _ in 0..<50 { #expect(try await client.sum(of: [1, 2], options: options) == 3) }
            // On a busy machine it need not be the first.
            let chosen = try #require(fleet.counts.firstIndex(of: 50))
            #expect(fleet.counts.sorted() == [0, 0, 50])
            await fleet.servers[chosen].shutdown(within: .zero)
            for _ in 0..<50 { #expect(try await client.sum(of: [1, 2], options: options) == 3) }
            #expect(fleet.counts.sorted() == [0, 50, 50])
            await client.close()
        }
    }

    @Test("A server that drains under round robin costs no call, without any retry")
    func drain() async throws {
        try await withFleet(of: 3) { fleet in
            let client = try client(of: try Name(fleet.addresses), .roundRobin)
            try await warmUp(client, fleet)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<100 {
                            let sum = try await client.sum(of: [20, 22])
                            #expect(sum == 42)
                        }
                    }
                }
                await fleet.servers[1].shutdown(within: .seconds(60))
                try await group.waitForAll()
            }
            await client.close()
        }
    }

    @Test("grpc-K21: with round robin a retry goes to another server, even if the first still takes calls")
    func retryElsewhere() async throws {
        let refusing = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            while let frame = try peer.receive() {
                guard frame.kind == .headers else { continue }
                try peer.send(.headers(.response + .trailers(14), on: frame.streamID, endStream: true))
            }
        }
        try await withFleet(of: 1) { fleet in
            let client = try client(of: try Name([refusing.address] + fleet.addresses), .roundRobin)
            var options = GRPCCallOptions()
            options.maxRetries = 1
            // Until the good server is connected, there is only one to retry on.
            while (try? await client.sum(of: [1], options: options)) == nil {}
            while refusing.connections == 0 { try await Task.sleep(for: .milliseconds(1)) }
            for _ in 0..<20 { #expect(try await client.sum(of: [5, 6], options: options) == 11) }
            await client.close()
        }
        refusing.stopListening()
        try await refusing.end()
    }

    @Test("A server that is added to the name is used once another's connection has reached its age")
    func scaleUp() async throws {
        var configuration = GRPCServer.Configuration()
        // Longer than the second before which a lost connection counts as a failed attempt.
        configuration.maxConnectionAge = .seconds(2)
        try await withFleet(of: 2, configuration: configuration) { fleet in
            let name = try Name([fleet.addresses[0]])
            let client = try client(of: name, .pickFirst(shuffled: true))
            #expect(try await client.sum(of: [1]) == 1)
            try name.set([fleet.addresses[1]])
            while fleet.counts[1] == 0 { #expect(try await client.sum(of: [1]) == 1) }
            await client.close()
        }
    }

    @Test(
        "grpc-K12: a silent address and one that accepts and says nothing do not keep a client from the third"
    )
    func happyEyeballs() async throws {
        let silent = try ScriptedServer { peer in while try !peer.receiveBytes().isEmpty {} }
        try await withFleet(of: 1) { fleet in
            let client = try client(
                of: try Name([silent.address, silent.address] + fleet.addresses), .pickFirst())
            #expect(try await client.connect() == fleet.addresses[0])
            #expect(try await client.sum(of: [1, 2]) == 3)
            await client.close()
        }
        try await silent.end()
    }

    @Test("grpc-K23: the state of the connections can be seen, and waited for")
    func states() async throws {
        // A server that says nothing, until it closes its connections.
        let closes = DispatchSemaphore(value: 0)
        let silent = try ScriptedServer { _ in
            closes.wait()
            closes.signal()
        }
        let client = try client(of: try Name([silent.address]), .pickFirst()) {
            $0.connectTimeout = .seconds(600)
        }
        #expect(client.connectivityState == .idle)
        async let status = #expect(throws: GRPCStatus.self) { try await client.connect() }
        #expect(await client.connectivityState(after: .idle) == .connecting)
        closes.signal()
        #expect(await client.connectivityState(after: .connecting) == .transientFailure)
        let waiting = Task { await client.connectivityState(after: .transientFailure) }
        waiting.cancel()
        _ = await waiting.value
        await client.close()
        #expect(await status?.code == .cancelled)
        #expect(client.connectivityState == .shutdown)
        #expect(await client.connectivityState(after: .idle) == .shutdown)
        try await silent.end()

        try await withFleet(of: 1) { fleet in
            let client = try self.client(of: try Name(fleet.addresses), .pickFirst())
            try await client.connect()
            #expect(client.connectivityState == .ready)
            await fleet.servers[0].shutdown(within: .zero)
            while client.connectivityState == .ready { _ = await client.connectivityState(after: .ready) }
            await client.close()
        }
    }

    @Test("A client that is dropped without being closed closes its connections")
    func dropped() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            _ = try peer.receiveAll()
        }
        var client: GRPCClient? = try self.client(of: try Name([server.address]), .pickFirst())
        try await client?.connect()
        client = nil
        try await server.end()
    }
}
