import CoreMetrics
import Logging
import NIOCore
import NIOPosix
import SumCore
import Testing

@testable import SumTelemetry

@Suite(.timeLimit(.minutes(10))) struct OperatorListenerTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Collects what comes until the other side closes.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var received = ByteBuffer()
        private let promise: EventLoopPromise<String>

        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
        }
        func channelInactive(context: ChannelHandlerContext) { promise.succeed(String(buffer: received)) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// An open connection.
    private struct Client {
        let channel: any Channel
        let text: EventLoopFuture<String>

        init(_ address: String) async throws {
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let promise = loop.makePromise(of: String.self)
            let bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(promise))
                }
            }
            do {
                if address.hasPrefix("unix:") {
                    channel = try await bootstrap.connect(unixDomainSocketPath: String(address.dropFirst(5)))
                        .get()
                } else {
                    let parts = address.split(separator: ":")
                    channel = try await bootstrap.connect(host: String(parts[0]), port: Int(parts[1]) ?? 0)
                        .get()
                }
            } catch {
                promise.fail(error)
                throw error
            }
            text = promise.futureResult
        }

        func send(_ text: String) async throws {
            try await channel.writeAndFlush(ByteBuffer(string: text))
        }
    }

    private static func get(_ path: String, _ address: String, fields: String = "") async throws -> String {
        let client = try await Client(address)
        // Fails if the listener has closed the connection already; there is no text then.
        try? await client.send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(fields)\r\n")
        return try await client.text.get()
    }

    private static func start(
        _ pages: [OperatorPage], on address: ListenAddress = .host("127.0.0.1", port: 0)
    ) async throws -> OperatorListener {
        // No test depends on the speed of a busy machine.
        try await OperatorListener.start(on: address, pages: pages, timeLimit: .minutes(10), logger: logger)
    }

    @Test("Metrics, in the format that is asked for")
    func metrics() async throws {
        let registry = MetricsRegistry()
        Counter(label: "sum.server.numbers", factory: registry).increment(by: 42)
        var variables = OpenTelemetryVariables { _ in nil }
        let resource = TelemetryResource(ofProgram: "it", &variables)
        let listener = try await Self.start([.metrics(registry, resource: resource)])
        let text = try await Self.get("/metrics", listener.address)
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        #expect(text.contains("\nsum_server_numbers_total{otel_scope_name=\"grpc-swift-sum\","))
        #expect(text.contains("} 42\n"))
        #expect(text.contains("\ntarget_info{service_name=\"it\","))
        let openMetrics = try await Self.get(
            "/metrics", listener.address, fields: "Accept: application/openmetrics-text\r\n")
        #expect(
            openMetrics.contains(
                "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"))
        #expect(openMetrics.hasSuffix("# EOF\n"))
        await listener.close()
    }

    @Test("Whether the process lives, and whether it is ready")
    func health() async throws {
        for (isReady, status) in [(true, "200 OK"), (false, "503 Service Unavailable")] {
            let listener = try await Self.start([.liveness, .readiness { isReady }])
            #expect(try await Self.get("/healthz", listener.address).hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(try await Self.get("/readyz", listener.address).hasPrefix("HTTP/1.1 \(status)\r\n"))
            await listener.close()
        }
    }

    @Test("A ninth connection is closed at once; when one of the eight ends, another may come")
    func connectionLimit() async throws {
        let listener = try await Self.start([.liveness])
        var clients: [Client] = []
        for _ in 0..<OperatorListener.maxConnections {
            let client = try await Client(listener.address)
            // It is served, so it counts.
            try await client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            clients.append(client)
        }
        #expect(try await Client(listener.address).text.get() == "")
        try await clients[0].channel.close()
        // The listener may notice it a little later.
        while try await Self.get("/healthz", listener.address) == "" { await Task.yield() }
        await listener.close()
        for client in clients { #expect(try await client.text.get().hasPrefix("HTTP/1.1 200 OK")) }
    }

    @Test("A Unix domain socket, whose file is removed at the end")
    func unixSocket() async throws {
        let path = "/tmp/sum-test-\(UInt32.random(in: 0 ... .max)).sock"
        let listener = try await Self.start([.liveness], on: .unix(path: path))
        #expect(listener.address == "unix:\(path)")
        #expect(try await Self.get("/healthz", listener.address).hasSuffix("\r\n\r\nok\n"))
        await listener.close()
        await #expect(throws: (any Error).self) { try await Client(listener.address) }
    }

    @Test("An address that is in use is an error that says so")
    func inUse() async throws {
        let listener = try await Self.start([])
        let port = try #require(listener.address.split(separator: ":").last.flatMap { Int($0) })
        await #expect(throws: ListenError.self) {
            _ = try await Self.start([], on: .host("127.0.0.1", port: port))
        }
        await listener.close()
    }
}
