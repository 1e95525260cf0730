import Foundation
import NIOCore
import ScriptedPeers
import SumTelemetry
import Synchronization
import Testing

@testable import SumCore

/// Traces that cross processes.
@Suite(.timeLimit(.minutes(10))) struct TraceTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    /// Collects spans that have ended.
    private final class Spans: SpanSink {
        private let list = Mutex<[FinishedSpan]>([])
        var all: [FinishedSpan] { list.withLock { $0 } }
        func record(_ span: FinishedSpan) { list.withLock { $0.append(span) } }
    }

    private static func hex(_ bytes: [UInt8]?) -> String {
        (bytes ?? []).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: One trace

    @Test(
        "A trace goes from grpcio with OpenTelemetry's SDK through our server and our client to grpcio, whether or not it is recorded",
        .enabled(if: ForeignPeer.isBuilt, "make test builds the foreign peers"), arguments: [true, false])
    func foreign(_ isSampled: Bool) async throws {
        let spans = Spans()
        let tracer = SpanTracer(sink: spans)
        let last = try await ForeignPeer.server("tracing.py", ["server"])
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(Tool.limit)
        configuration.observers = [ClientTracing(tracer)]
        let onward = GRPCClient(target: try Target(last.address), configuration: configuration)
        let trailers = Mutex<GRPCMetadata?>(nil)
        let method = GRPCMethod.clientStreaming(path: SumNumbers.path) {
            (requests: GRPCRequests<Tutorial_NumberRequest>, _) -> Tutorial_NumberResponse in
            let call: GRPCClientCall<Tutorial_NumberRequest, Tutorial_NumberResponse> = onward.call(
                SumNumbers.path)
            for try await request in requests { try await call.send(request) }
            let response = try await call.closeAndReceive()
            let sent = await call.ended().trailers
            trailers.withLock { $0 = sent }
            return response
        }
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: 0)], methods: [method], observers: [ServerTracing(tracer)])
        let output = try await ForeignPeer.run(
            "tracing.py", ["client", server.addresses[0].description] + (isSampled ? [] : ["--unsampled"]),
            [1, 2, 39])
        await server.shutdown()
        await onward.close()

        let lines = output.split(separator: "\n").map(String.init)
        try #require(lines.count == 2)
        #expect(lines[0] == "42")
        let root = try #require(TraceContext(traceparent: lines[1]))
        #expect(root.isSampled == isSampled)
        let answer = try #require(trailers.withLock { $0 })
        let end = try #require(answer["x-traceparent"].first.flatMap { TraceContext(traceparent: $0) })
        #expect(end.traceID == root.traceID)
        #expect(end.isSampled == isSampled)
        #expect(answer["x-tracestate"] == ["vendor=1"])
        guard isSampled else { return #expect(spans.all.isEmpty) }
        var byName: [String: FinishedSpan] = [:]
        for span in spans.all { byName[span.name] = span }
        let (received, sent, attempt) = (
            byName["Recv.tutorial.NumberService.SumNumbers"],
            byName["Sent.tutorial.NumberService.SumNumbers"],
            byName["Attempt.tutorial.NumberService.SumNumbers"]
        )
        #expect(spans.all.count == 3)
        for span in [received, sent, attempt] {
            #expect(Self.hex(span?.traceID) == root.traceIDText)
            #expect(span?.flags == 1)
            #expect(span?.traceState == "vendor=1")
            #expect(span?.status == .ok)
        }
        #expect(Self.hex(received?.parent?.spanID) == root.spanIDText)
        #expect(received?.parent?.isRemote == true)
        #expect(sent?.parent == .init(spanID: received?.spanID ?? [], isRemote: false))
        #expect(attempt?.parent == .init(spanID: sent?.spanID ?? [], isRemote: false))
        #expect(answer["x-parent"] == [Self.hex(attempt?.spanID)])
        #expect([received?.kind, sent?.kind, attempt?.kind] == [.server, .client, .client])
    }

    @Test("A thousand malformed traceparents are ignored: each call begins a trace of its own")
    func malformed() async throws {
        let spans = Spans()
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: 0)], methods: [SumNumbers.method()],
            observers: [ServerTracing(SpanTracer(sink: spans))])
        let address = server.addresses[0].description
        try await Tool.offload {
            Result {
                let client = try WireSocket(connectingTo: address)
                try client.sayHello()
                var state: UInt64 = 1
                func random(below bound: Int) -> Int {
                    // Knuth's MMIX: a test needs the same bytes every time.
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Int(state >> 33) % bound
                }
                for call in UInt32(0)..<1000 {
                    var bytes = Array(Self.parent.utf8)
                    switch random(below: 4) {
                    case 0: bytes.removeLast(1 + random(below: bytes.count))
                    case 1: bytes += Array(repeating: UInt8(ascii: "-"), count: 1 + random(below: 600))
                    case 2: bytes[random(below: 55)] = UInt8(ascii: "G") + UInt8(random(below: 20))
                    default: bytes += [UInt8(ascii: ",")] + bytes
                    }
                    let stream = 2 * call + 1
                    try client.send(
                        .headers(
                            .request + [
                                WireField("traceparent", bytes: bytes), WireField("tracestate", "a=1"),
                            ],
                            on: stream, endStream: true))
                    try #require(try client.receiveAnswer(on: stream).status == "0")
                }
                // Two fields are invalid together, even if each is valid.
                try client.send(
                    .headers(
                        .request + Array(repeating: WireField("traceparent", Self.parent), count: 2),
                        on: 2001,
                        endStream: true))
                try #require(try client.receiveAnswer(on: 2001).status == "0")
            }
        }.get()
        await server.shutdown()
        #expect(spans.all.count == 1001)
        #expect(spans.all.allSatisfy { $0.parent == nil && $0.traceState.isEmpty })
        #expect(Set(spans.all.map(\.traceID)).count == 1001)
    }

    // MARK: sum-client

    /// The metadata that the client sends.
    private func sent(
        _ environment: [String], _ arguments: [String] = []
    ) async throws -> (traceparent: String?, tracestate: String?) {
        let seen = Mutex<(String?, String?)>((nil, nil))
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            let head = try #require(try peer.receive(.headers))
            seen.withLock { $0 = (head["traceparent"], head["tracestate"]) }
            let end = try #require(try peer.receive { $0.endsStream })
            try peer.send(
                .headers(.response, on: end.streamID), .data([0, 0, 0, 0, 2, 8, 7], on: end.streamID),
                .headers(.trailers(0), on: end.streamID, endStream: true))
            _ = try peer.receiveAll()
        }
        let client = Tool.directory.appending(path: "sum-client").path
        let result = try await Tool.run(
            "/usr/bin/env", environment + [client, "--target", server.address] + arguments + ["3", "4"])
        #expect(result.output == "7\n", "\(result.errors)")
        try await server.end()
        return seen.withLock { $0 }
    }

    @Test("sum-client passes on the trace under which it runs")
    func passedOn() async throws {
        let sent = try await sent(["TRACEPARENT=\(Self.parent)", "TRACESTATE=a=1,b=2"])
        #expect(sent.traceparent == Self.parent)
        #expect(sent.tracestate == "a=1,b=2")
    }

    @Test(
        "It passes on no trace that is malformed, and no tracestate alone",
        arguments: [["TRACEPARENT=00-1-2-3", "TRACESTATE=a=1"], ["TRACESTATE=a=1"], ["TRACEPARENT="], []])
    func notPassedOn(_ environment: [String]) async throws {
        let sent = try await sent(environment)
        #expect(sent.traceparent == nil)
        #expect(sent.tracestate == nil)
    }

    @Test("A traceparent that the user gives takes its place")
    func given() async throws {
        let given = Self.parent.replacing("b7ad", with: "c7ad")
        let sent = try await sent(
            ["TRACEPARENT=\(Self.parent)", "TRACESTATE=a=1"], ["--metadata", "traceparent: \(given)"])
        #expect(sent.traceparent == given)
        #expect(sent.tracestate == nil)
    }
}
