import CoreMetrics
import Logging
import MetricsTestKit
import NIOCore
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ServerMetricsTests {
    private let backend = TestMetrics()
    private let metrics: ServerMetrics
    private static let method = "tutorial.NumberService/SumNumbers"

    init() {
        metrics = ServerMetrics(factory: backend)
    }

    private func server(_ change: (inout GRPCServer.Configuration) -> Void = { _ in }) throws -> WireChannel {
        try .server(observers: [metrics], change)
    }

    /// The totals of a counter by its labels, such as `["reason=draining": 1]`.
    private func counts(_ label: String) -> [String: Int64] {
        Dictionary(
            backend.counters(label: label).map { (Self.text($0.dimensions), $0.totalValue) },
            uniquingKeysWith: +)
    }

    private func times(_ label: String) -> [String: [Int64]] {
        Dictionary(
            backend.timers(label: label).map { (Self.text($0.dimensions), $0.values) },
            uniquingKeysWith: +)
    }

    private func values(_ label: String) -> [String: [Double]] {
        Dictionary(
            backend.recorders(label: label).map { (Self.text($0.dimensions), $0.values) },
            uniquingKeysWith: +)
    }

    private static func text(_ dimensions: [(String, String)]) -> String {
        dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
    }

    // MARK: Calls

    @Test("A call: its beginning, its time, its bytes without prefixes, its numbers")
    func call() throws {
        let wire = try server()
        let numbers = Numbers.encode([1, 2, 300])
        try wire.send(.headers(.request, on: 1))
        #expect(counts("grpc.server.call.started") == ["grpc.method=\(Self.method)": 1])
        #expect(backend.timers(label: "grpc.server.call.duration").isEmpty)
        try wire.advance(.milliseconds(5))
        try wire.send(.data(numbers, on: 1, endStream: true))
        let labels = "grpc.method=\(Self.method) grpc.status=OK"
        #expect(times("grpc.server.call.duration") == [labels: [5_000_000]])
        let received = Double(numbers.count - 3 * 5)
        #expect(values("grpc.server.call.rcvd_total_compressed_message_size") == [labels: [received]])
        // The sum is 303: a tag and two bytes.
        #expect(values("grpc.server.call.sent_total_compressed_message_size") == [labels: [3]])
        #expect(counts("sum.server.numbers") == ["": 3])
        try wire.expectSum(on: 3)
        #expect(counts("sum.server.numbers") == ["": 6])
        #expect(counts("grpc.server.call.started") == ["grpc.method=\(Self.method)": 2])
        #expect(times("grpc.server.call.duration")[labels]?.count == 2)
    }

    @Test("Numbers count while their call goes on, each once")
    func openCall() throws {
        let wire = try server()
        let numbers = Numbers.encode([1, 2, 300])
        try wire.send(.headers(.request, on: 1), .data(Array(numbers.prefix(9)), on: 1))
        #expect(counts("sum.server.numbers") == ["": 1])
        try wire.send(.data(Array(numbers.dropFirst(9)), on: 1))
        #expect(counts("sum.server.numbers") == ["": 3])
        try wire.send(.data(Numbers.encode([4]), on: 1, endStream: true))
        #expect(counts("sum.server.numbers") == ["": 4])
    }

    @Test("Each status has its series; what the server does not host is `other`, whatever a client calls it")
    func labels() throws {
        let wire = try server()
        try wire.expectSum(on: 1)
        for (streamID, path) in [(3, "/no/Such"), (5, "/\u{1}\"\n"), (7, ""), (9, "/no/Such2")]
            as [(UInt32, String)]
        {
            try wire.send(.headers(.request.with(WireField(":path", path)), on: streamID, endStream: true))
        }
        try wire.send(.headers(.request, on: 11), .rstStream(8, on: 11))
        try wire.send(.headers(.request + [WireField("grpc-timeout", "0n")], on: 13, endStream: true))
        let known = Set(times("grpc.server.call.duration").keys)
        #expect(
            known.isSubset(of: [
                "grpc.method=\(Self.method) grpc.status=OK",
                "grpc.method=\(Self.method) grpc.status=CANCELLED",
                "grpc.method=\(Self.method) grpc.status=DEADLINE_EXCEEDED",
                "grpc.method=other grpc.status=UNIMPLEMENTED", "grpc.method=other grpc.status=INTERNAL",
            ]))
        #expect(times("grpc.server.call.duration")["grpc.method=other grpc.status=UNIMPLEMENTED"]?.count == 2)
        let ended = times("grpc.server.call.duration").values.map { Int64($0.count) }.reduce(0, +)
        let started = counts("grpc.server.call.started").values.reduce(0, +)
        #expect(started == ended)
    }

    @Test("The calls of a connection that is lost count as cancelled, and their numbers count")
    func lost() throws {
        let wire = try server()
        try wire.send(.headers(.request, on: 1), .data(Numbers.encode([1, 2]), on: 1))
        #expect(backend.meters(label: "sum.server.connections").first?.lastValue == 1)
        wire.close()
        let labels = "grpc.method=\(Self.method) grpc.status=CANCELLED"
        #expect(times("grpc.server.call.duration")[labels]?.count == 1)
        #expect(counts("sum.server.numbers") == ["": 2])
        #expect(backend.meters(label: "sum.server.connections").first?.lastValue == 0)
        #expect(counts("sum.server.connections.opened") == ["": 1])
    }

    @Test("A status that is none of gRPC's counts as UNKNOWN", arguments: [17, -1, .max, 2])
    func unknownStatus(_ code: Int) {
        #expect(GRPCStatus.Code(rawValue: code).metricName == "UNKNOWN")
    }

    // MARK: Connections

    @Test(
        "What a client does wrong is an offence, everyday ends are not",
        arguments: [
            ((0..<10).flatMap { _ in WireFrame.ping().bytes }, "too_many_pings"),
            (WireFrame(.data, payload: [0]).bytes, "protocol_error"), ([], nil),
        ] as [([UInt8], String?)])
    func offences(_ bytes: [UInt8], _ reason: String?) throws {
        let wire = try server()
        try wire.send(bytes: bytes)
        wire.close()
        let expected: [String: Int64] = reason.map { ["reason=\($0)": 1] } ?? [:]
        #expect(counts("sum.server.offences") == expected)
    }

    @Test("A client that speaks HTTP/1 is an offence of its own")
    func notHTTP2() throws {
        let wire = try WireChannel(WireChannel.serverConnection(observers: [metrics]))
        try wire.send(bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(counts("sum.server.offences") == ["reason=not_http2": 1])
    }

    @Test("Streams that are refused, and calls of those who may not call")
    func refusals() throws {
        let wire = try server {
            $0.maxConcurrentStreams = 1
            $0.authorize = CallAuthorizer(immediately: { context in
                switch context.metadata["x"].first {
                case "yes": return nil
                case "no": throw GRPCStatus(code: .permissionDenied)
                case "later": throw GRPCStatus(code: .unavailable)
                default: throw GRPCStatus(code: .unauthenticated)
                }
            })
        }
        for (streamID, answer) in [(1, "no"), (3, "later"), (5, ""), (7, "")] as [(UInt32, String)] {
            try wire.send(.headers(.request + [WireField("x", answer)], on: streamID, endStream: true))
        }
        #expect(
            counts("sum.server.authorization.failures") == [
                "reason=permission_denied": 1, "reason=other": 1, "reason=unauthenticated": 2,
            ])
        let yes = [WireField("x", "yes")]
        try wire.send(.headers(.request + yes, on: 9), .headers(.request + yes, on: 11))
        #expect(counts("sum.server.streams.refused") == ["": 1])
    }

    /// With handshakes for which a busy machine may take its time.
    private var patientLimits: GRPCServer.Configuration {
        var limits = GRPCServer.Configuration()
        limits.handshakeTimeout = .seconds(3600)
        return limits
    }

    @Test("A server tells of connections that it refuses, of its certificate, and of draining")
    func server() async throws {
        var limits = patientLimits
        limits.maxConnectionsPerPeer = 1
        let tls = try ServerTLS.named()
        let server = try await GRPCServer.start(
            listeningOn: [ListenEndpoint(.host("127.0.0.1", port: 0), tls: tls)],
            methods: [SumNumbers.method()], configuration: limits, observers: [metrics])
        let notAfter = try #require(tls.notAfter)
        #expect(
            backend.recorders(label: "sum.server.certificate.not_after").first?.lastValue == Double(notAfter))
        #expect(backend.recorders(label: "sum.server.draining").first?.lastValue == 0)
        // One is served, the other is one too many; the event loops decide which. Neither speaks TLS.
        let sockets = [
            try WireSocket(connectingTo: server.addresses[0].description),
            try WireSocket(connectingTo: server.addresses[0].description),
        ]
        let refused = ["reason=too_many_connections_of_peer": Int64(1)]
        while counts("sum.server.connections.refused") != refused {
            try await Task.sleep(for: .milliseconds(1))
        }
        for socket in sockets {
            try? socket.sendUnencrypted(Array("GET / HTTP/1.1\r\n\r\n".utf8))
            _ = try? socket.receiveAll()
        }
        await server.shutdown(within: .seconds(60))
        #expect(
            counts("grpc.server.tls.handshakes") == ["grpc.tls.handshake.result=UNEXPECTED_MESSAGE": 1])
        #expect(counts("sum.server.offences") == ["reason=tls": 1])
        #expect(backend.recorders(label: "sum.server.draining").first?.lastValue == 1)
        #expect(backend.meters(label: "sum.server.connections").first?.lastValue == 0)
    }

    @Test("TLS handshakes by result")
    func handshakes() async throws {
        let server = try await GRPCServer.start(
            listeningOn: [ListenEndpoint(.host("127.0.0.1", port: 0), tls: try .named())],
            methods: [SumNumbers.method()], configuration: patientLimits, observers: [metrics])
        let clientMetrics = ClientMetrics(target: Target(server.addresses[0]), factory: backend)
        let sum = try await tlsSum(server.addresses[0].description, .trusting(), observers: [clientMetrics])
        #expect(try sum.get() == 6)
        await server.shutdown(within: .seconds(60))
        #expect(counts("grpc.server.tls.handshakes") == ["grpc.tls.handshake.result=SUCCESS": 1])
        let target = "grpc.target=dns:///\(server.addresses[0])"
        #expect(
            counts("grpc.client.tls.handshakes") == ["\(target) grpc.tls.handshake.result=SUCCESS": 1])
    }

    @Test("Files that were read again, and new certificates")
    func reloads() async {
        struct Subject: Reloadable {
            var summary: String { "it" }
            var warning: String? { nil }
            var notAfter: Int? { 1_900_000_000 }
            let next: @Sendable () throws -> Bool

            func reload() throws -> Bool { try next() }
        }
        let (done, tell) = AsyncStream.makeStream(of: Void.self)
        let results = LockedList<Result<Bool, GRPCStatus>>([
            .success(true), .success(false), .failure(GRPCStatus(code: .internalError)),
            .failure(GRPCStatus(code: .internalError)), .success(true),
        ])
        let subject = Subject {
            guard let result = results.popFirst() else {
                tell.finish()
                return false
            }
            return try result.get()
        }
        let reloader = Reloader(
            [subject], every: .milliseconds(1), observers: [metrics], logger: Logger(label: "test"))
        let running = Task { await reloader.run() }
        for await _ in done {}
        running.cancel()
        await running.value
        #expect(counts("sum.server.reloads") == ["result=success": 2, "result=failure": 2])
        #expect(
            backend.recorders(label: "sum.server.certificate.not_after").first?.lastValue == 1_900_000_000)
    }
}

/// A list that threads share.
private final class LockedList<Element: Sendable>: Sendable {
    private let elements: Mutex<[Element]>

    init(_ elements: [Element]) {
        self.elements = Mutex(elements)
    }

    func popFirst() -> Element? {
        elements.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
}
