import InMemoryTracing
import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Testing
import Tracing

@testable import SumCore

/// The spans of servers and clients, in a tracer that keeps them.
@Suite(.timeLimit(.minutes(10))) struct TracingTests {
    private let tracer = InMemoryTracer()

    private func server(messageLimit: Int = 0, _ method: GRPCMethod = SumNumbers.method()) throws
        -> WireChannel
    {
        try .server(methods: [method], observers: [ServerTracing(tracer, messageLimit: messageLimit)]) { _ in
        }
    }

    private func client(_ target: Target, messageLimit: Int = 0) -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(60)
        configuration.observers = [ClientTracing(tracer, messageLimit: messageLimit)]
        return GRPCClient(target: target, configuration: configuration)
    }

    private func text(_ attributes: SpanAttributes) -> [String] {
        var list: [String] = []
        attributes.forEach { name, value in
            switch value {
            case .int64(let number): list.append("\(name)=\(number)")
            case .string(let text): list.append("\(name)=\(text)")
            case .bool(let value): list.append("\(name)=\(value)")
            default: list.append("\(name)?")
            }
        }
        return list.sorted()
    }

    // MARK: Servers

    @Test("A call of a server is a span with its method, peer, outcome and numbers")
    func serverSpan() throws {
        let wire = try server()
        try wire.send(.headers(.request, on: 1))
        #expect(tracer.activeSpans.map(\.operationName) == ["Recv.tutorial.NumberService.SumNumbers"])
        try wire.send(.data(Numbers.encode([1, 300]), on: 1, endStream: true))
        let span = try #require(tracer.finishedSpans.first)
        #expect(tracer.finishedSpans.count == 1)
        #expect(tracer.activeSpans.isEmpty)
        #expect(span.kind == .server)
        #expect(span.status == SpanStatus(code: .ok))
        #expect(span.parentSpanID == nil)
        #expect(span.events.isEmpty)
        #expect(
            text(span.attributes) == [
                "network.peer.address=unix:/test", "rpc.method=tutorial.NumberService/SumNumbers",
                "rpc.response.status_code=OK", "rpc.system.name=grpc", "sum.bytes=5", "sum.numbers=2",
            ])
    }

    @Test("The parent is the span that the client has sent")
    func parent() throws {
        let wire = try server()
        try wire.send(
            .headers(
                .request + [WireField("in-memory-trace-id", "t1"), WireField("in-memory-span-id", "s1")],
                on: 1,
                endStream: true))
        #expect(tracer.finishedSpans.map(\.traceID) == ["t1"])
        #expect(tracer.finishedSpans.map(\.parentSpanID) == ["s1"])
    }

    @Test(
        "A call that fails has its code and message, made printable",
        arguments: [
            (
                .request.with(WireField(":path", "/no/\u{202e}Such")), "Recv.other",
                "UNIMPLEMENTED, there is no method"
            ),
            (
                .request + [WireField("grpc-timeout", "0n")], "Recv.tutorial.NumberService.SumNumbers",
                "DEADLINE_EXCEEDED"
            ),
            (
                .request.with(WireField("content-type", "text/html")),
                "Recv.tutorial.NumberService.SumNumbers",
                "INTERNAL, the content-type is not"
            ),
        ] as [([WireField], String, String)])
    func failed(_ fields: [WireField], _ name: String, _ message: String) throws {
        let wire = try server()
        try wire.send(.headers(fields, on: 1, endStream: true))
        let span = try #require(tracer.finishedSpans.first)
        #expect(span.operationName == name)
        #expect(span.status?.code == .error)
        #expect(span.status?.message?.hasPrefix(message) == true, "\(span.status?.message ?? "")")
        #expect(span.status?.message?.contains("\u{202e}") == false)
        let attributes = text(span.attributes)
        #expect(attributes.contains("rpc.method=_OTHER") == (name == "Recv.other"))
        #expect(attributes.contains { $0.hasPrefix("rpc.method_original=") } == (name == "Recv.other"))
    }

    @Test("A call that is cancelled, and one whose connection is lost, end their spans")
    func cancelled() throws {
        let wire = try server()
        try wire.send(.headers(.request, on: 1), .rstStream(8, on: 1), .headers(.request, on: 3))
        wire.close()
        #expect(tracer.activeSpans.isEmpty)
        #expect(
            tracer.finishedSpans.map { $0.status?.message } == [
                "CANCELLED, the client cancelled the call or is gone",
                "CANCELLED, the client cancelled the call or is gone",
            ])
    }

    @Test("The first messages are events, if that is asked for", arguments: [0, 1, 2])
    func serverMessages(_ limit: Int) throws {
        let wire = try server(messageLimit: limit)
        try wire.expectSum(on: 1)
        let events = try #require(tracer.finishedSpans.first).events
        #expect(events.filter { $0.name == "Inbound message" }.count == limit)
        #expect(events.filter { $0.name == "Outbound message" }.count == min(limit, 1))
        if limit > 0 {
            #expect(text(events[0].attributes) == ["message-size=2", "sequence-number=0"])
        }
    }

    @Test("Of a compressed message, the size on the wire is known")
    func compressed() throws {
        let event = CallSpan.event("Inbound message", ObservedMessage(number: 7, size: 9, isCompressed: true))
        #expect(text(event.attributes) == ["message-size-compressed=9", "sequence-number=7"])
    }

    // MARK: Clients

    @Test("A call that waits until a name is resolved has an event of that, and the next has none")
    func resolution() async throws {
        try await withServer { server, _ in
            let port = try #require(server.addresses[0].port)
            let client = client(try Target("localhost:\(port)"))
            for _ in 0..<2 { #expect(try await client.sum(of: [1, 2]) == 3) }
            await client.close()
            try await client.eventLoop.submit {}.get()
        }
        let calls = tracer.finishedSpans.filter { $0.operationName.hasPrefix("Sent.") }
        #expect(calls.map { $0.events.map(\.name) } == [["Delayed name resolution complete"], []])
        for (span, event) in calls.compactMap({ span in span.events.first.map { (span, $0) } }) {
            #expect(event.nanosecondsSinceEpoch >= span.startInstant.nanosecondsSinceEpoch)
            #expect(event.nanosecondsSinceEpoch <= span.endInstant.nanosecondsSinceEpoch)
        }
    }

    @Test(
        "A call of a client is a span over its attempts, the attempt over the server's, and that over the handler's"
    )
    func chain() async throws {
        let tracer = tracer
        let method = GRPCMethod.unary(path: "/t.T/Double") {
            (request: Tutorial_NumberRequest, _) -> Tutorial_NumberResponse in
            tracer.startSpan("handler").end()
            return Tutorial_NumberResponse.with { $0.sum = 2 * request.num }
        }
        try await withServer([method], observers: [ServerTracing(tracer)]) { _, target in
            let client = client(target)
            let outer = tracer.startSpan("outer", context: .topLevel)
            let double: Tutorial_NumberResponse = try await InstrumentationContext.withValue(outer.context) {
                try await client.unary("/t.T/Double", Tutorial_NumberRequest.with { $0.num = 21 })
            }
            #expect(double.sum == 42)
            outer.end()
            await client.close()
        }
        var spans: [String: FinishedInMemorySpan] = [:]
        for span in tracer.finishedSpans { spans[span.operationName] = span }
        #expect(spans.count == 5)
        let names = ["outer", "Sent.t.T.Double", "Attempt.t.T.Double", "Recv.t.T.Double", "handler"]
        for (upper, lower) in zip(names, names.dropFirst()) {
            #expect(spans[lower]?.parentSpanID == spans[upper]?.spanID, "\(lower)")
            #expect(spans[lower]?.traceID == spans["outer"]?.traceID)
        }
        #expect(names.map { spans[$0]?.kind } == [.internal, .client, .client, .server, .internal])
        #expect(names.dropFirst().dropLast().allSatisfy { spans[$0]?.status == SpanStatus(code: .ok) })
        let attempt = try #require(spans["Attempt.t.T.Double"])
        #expect(
            text(attempt.attributes).filter { !$0.hasPrefix("network.peer.port") } == [
                "network.peer.address=127.0.0.1", "previous-rpc-attempts=0", "rpc.response.status_code=OK",
                "transparent-retry=false",
            ])
        // The client had no connection when the call began.
        #expect(attempt.events.map(\.name) == ["Delayed LB pick complete"])
        // The address was written in the target.
        #expect(spans["Sent.t.T.Double"]?.events.isEmpty == true)
    }

    @Test("Each attempt is a span of its own, and sends its own")
    func attempts() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            var sent: [String?] = []
            for stream in [UInt32(1), 3, 5] {
                let head = try #require(try peer.receive(.headers))
                sent.append(head["in-memory-span-id"])
                _ = try peer.receive { $0.endsStream }
                switch stream {
                case 1: try peer.send(.rstStream(7, on: 1))
                case 3: try peer.send(.headers(.response + .trailers(14, "busy"), on: 3, endStream: true))
                default: try peer.send(.headers(.response + .trailers(5, "gone"), on: 5, endStream: true))
                }
            }
            #expect(Set(sent).count == 3)
            _ = try peer.receiveAll()
        }
        let client = client(try Target(server.address), messageLimit: 1)
        var options = GRPCCallOptions()
        options.maxRetries = 1
        try options.metadata.add("in-memory-span-id", "the caller's, which is replaced")
        await #expect(throws: GRPCStatus.self) { try await client.sum(of: [1, 2, 3], options: options) }
        await client.close()
        try await server.end()
        let attempts = tracer.finishedSpans.filter { $0.operationName.hasPrefix("Attempt.") }
        #expect(
            attempts.map { $0.attributes.get("previous-rpc-attempts") } == [.int64(0), .int64(0), .int64(1)])
        #expect(
            attempts.map { $0.attributes.get("transparent-retry") } == [
                .bool(false), .bool(true), .bool(false),
            ])
        #expect(attempts.map { $0.attributes.get("sum.numbers") } == [.int64(3), .int64(3), .int64(3)])
        #expect(attempts.last?.status == SpanStatus(code: .error, message: "NOT_FOUND, gone"))
        #expect(attempts[1].status == SpanStatus(code: .error, message: "UNAVAILABLE, busy"))
        #expect(attempts.allSatisfy { $0.events.filter { $0.name == "Outbound message" }.count == 1 })
        let sent = try #require(tracer.finishedSpans.last)
        #expect(sent.operationName == "Sent.tutorial.NumberService.SumNumbers")
        #expect(sent.status == SpanStatus(code: .error, message: "NOT_FOUND, gone"))
        #expect(attempts.allSatisfy { $0.parentSpanID == sent.spanID })
        #expect(
            text(sent.attributes) == [
                "grpc.target=dns:///\(server.address)", "rpc.method=tutorial.NumberService/SumNumbers",
                "rpc.response.status_code=NOT_FOUND", "rpc.system.name=grpc",
            ])
    }

    @Test("A call that finds no connection has a span without attempts, under the parent that was given")
    func noConnection() async throws {
        let outer = tracer.startSpan("outer", context: .topLevel)
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .milliseconds(1)
        configuration.observers = [ClientTracing(tracer, under: outer.context)]
        let client = GRPCClient(target: try Target("127.0.0.1:1"), configuration: configuration)
        await #expect(throws: GRPCStatus.self) { try await client.sum(of: [1]) }
        try await client.eventLoop.submit {}.get()
        await client.close()
        let span = try #require(tracer.finishedSpans.first)
        #expect(span.operationName == "Sent.tutorial.NumberService.SumNumbers")
        #expect(span.parentSpanID == outer.spanID)
        #expect(span.status?.message?.hasPrefix("UNAVAILABLE, ") == true)
    }
}
