import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ClientInterceptorTests {
    /// An interceptor that is a function.
    private struct Interceptor: ClientInterceptor {
        var body: @Sendable (String, inout GRPCCallOptions) throws(GRPCStatus) -> Void

        func prepare(_ path: String, _ options: inout GRPCCallOptions) throws(GRPCStatus) {
            try body(path, &options)
        }
    }

    private func client(_ target: Target, _ interceptors: [any ClientInterceptor]) -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(60)
        configuration.interceptors = interceptors
        return GRPCClient(target: target, configuration: configuration)
    }

    @Test("Metadata and deadline are sent as the interceptors leave them, one after the other")
    func changes() async throws {
        let paths = Mutex<[String]>([])
        let first = Interceptor { path, options in
            paths.withLock { $0.append(path) }
            try? options.metadata.add("by", "first")
            #expect(options.timeout == nil)
            options.timeout = .seconds(3600)
        }
        let second = Interceptor { _, options in
            #expect(options.timeout == .seconds(3600))
            #expect(options.metadata["by"] == ["caller", "first"])
            try? options.metadata.add("by", "second")
            options.timeout = .seconds(7200)
        }
        let requests = Mutex<[(by: [String], timeout: Duration?)]>([])
        let method = GRPCMethod(path: SumNumbers.path) { context in
            requests.withLock { $0.append((context.metadata["by"], context.timeout)) }
            return SumNumbersHandler(overflow: .error, context: context)
        }
        try await withServer([method]) { _, target in
            let client = client(target, [first, second])
            var options = GRPCCallOptions()
            try options.metadata.add("by", "caller")
            #expect(try await client.sum(of: [1, 2], options: options) == 3)
            #expect(try await client.sumNumbers(options).closeAndReceive() == 0)
            await client.close()
        }
        #expect(paths.withLock { $0 } == [SumNumbers.path, SumNumbers.path])
        for request in requests.withLock({ $0 }) {
            #expect(request.by == ["caller", "first", "second"])
            let timeout = try #require(request.timeout)
            #expect(timeout > .seconds(3600) && timeout <= .seconds(7200))
        }
        #expect(requests.withLock { $0.count } == 2)
    }

    @Test("A call that is refused ends with exactly that status; nothing is sent, and nobody else is asked")
    func refusal() async throws {
        let status = GRPCStatus(code: .unauthenticated, message: "no: ü", details: [1])
        let refusing = Interceptor { _, _ throws(GRPCStatus) in throw status }
        let hasAsked = Mutex(false)
        let behind = Interceptor { _, _ in hasAsked.withLock { $0 = true } }
        let server = try ScriptedServer { _ in }
        let client = client(try Target(server.address), [refusing, behind])
        var options = GRPCCallOptions()
        // Neither makes another attempt of it.
        options.waitsForReady = true
        options.maxRetries = 3
        let (copy, call) = (options, client.sumNumbers(options))
        await #expect(throws: status) { try await client.sum(of: [1], options: copy) }
        await #expect(throws: status) { try await call.closeAndReceive() }
        let peer = await call.peer()
        #expect(peer == nil)
        await client.close()
        try await server.end()
        #expect(server.connections == 0)
        #expect(!hasAsked.withLock { $0 })
    }

    @Test("A timeout of nothing ends the call before it is sent")
    func expired() async throws {
        let server = try ScriptedServer { _ in }
        let client = client(
            try Target(server.address), [Interceptor { _, options in options.timeout = .zero }])
        let status = await #expect(throws: GRPCStatus.self) { try await client.sum(of: [1]) }
        #expect(status?.code == .deadlineExceeded)
        await client.close()
        try await server.end()
        #expect(server.connections == 0)
    }

    @Test("A call is prepared once, however many attempts it takes")
    func once() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            let first = try #require(try peer.receive(.headers))
            try peer.send(.rstStream(7, on: first.streamID))
            let second = try #require(try peer.receive(.headers))
            try #require(second["count"] == "1")
            try peer.send(
                .headers(.response + .trailers(5, "gone"), on: second.streamID, endStream: true))
            _ = try peer.receiveAll()
        }
        let count = Mutex(0)
        let counting = Interceptor { _, options in
            let number = count.withLock { count in
                count += 1
                return count
            }
            try? options.metadata.add("count", "\(number)")
        }
        let client = client(try Target(server.address), [counting])
        await #expect(throws: GRPCStatus(code: .notFound, message: "gone")) {
            try await client.sum(of: [1])
        }
        await client.close()
        try await server.end()
        #expect(count.withLock { $0 } == 1)
    }
}
