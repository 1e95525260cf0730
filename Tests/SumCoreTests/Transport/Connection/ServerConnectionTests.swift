import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import SumCore

@Suite struct ServerConnectionTests {
    private static let path = "/tutorial.NumberService/SumNumbers"

    /// A harness whose one method is served by `handler`.
    private func harness(_ handler: NotingHandler, _ configuration: GRPCServer.Configuration = .init()) throws
        -> ServerHarness
    {
        let handler = NIOLoopBound(handler, eventLoop: EmbeddedEventLoop())
        return try ServerHarness(
            methods: [GRPCMethod(path: Self.path) { _ in handler.value }], configuration: configuration)
    }

    @Test("abuse-G1, grpc-A1: numbers in, sum out")
    func sum() throws {
        let harness = try ServerHarness()
        let stream = try harness.request(FixedBody(Numbers.encode([1, -2, 300])))
        #expect(harness.events.body(of: stream) == [0, 0, 0, 0, 3, 8, 0xab, 2])
        #expect(harness.status(of: stream) == .ok)
        #expect(harness.events.closingCode(of: stream) == .noError)
    }

    @Test("The responses to many calls in one read are sent in parts, so that the client can continue")
    func answersInPieces() throws {
        let harness = try ServerHarness()
        for _ in 0..<40 {
            _ = try harness.client.submitRequest(
                Sample.request, body: FixedBody(Numbers.encode([1])))
        }
        while try harness.client.send(limit: 1 << 20) {}
        try harness.channel.writeInbound(harness.client.allOutput())
        var writes: [Int] = []
        while let bytes = try harness.channel.readOutbound(as: ByteBuffer.self) {
            writes.append(bytes.readableBytes)
        }
        // A write is due at 512 bytes, and looked for after each slice of eight frames, the most that are added to it.
        #expect(writes.count > 2)
        #expect(writes.dropLast().allSatisfy { (512..<1024).contains($0) }, "\(writes)")
    }

    @Test("abuse-G1, grpc-R7: END_STREAM on HEADERS counts as no numbers")
    func endOnHeaders() throws {
        let harness = try ServerHarness()
        let body = FixedBody([], end: .finished(trailers: [HTTP2Field("x", "y")]))
        let stream = try harness.request(body)
        #expect(harness.events.body(of: stream) == [0, 0, 0, 0, 0])
        #expect(harness.status(of: stream) == .ok)
    }

    @Test(
        "grpc-S3, abuse-G10: unknown methods",
        arguments: ["/tutorial.NumberService/Nope", "/nope/SumNumbers", "/", "/tutorial.NumberService/"])
    func unknownMethod(_ path: String) throws {
        let harness = try ServerHarness()
        let fields = Sample.request.map { $0.name == ":path" ? HTTP2Field(":path", path) : $0 }
        let stream = try harness.request(FixedBody([], end: .open), fields: fields)
        #expect(harness.status(of: stream)?.code == .unimplemented)
        #expect(harness.status(of: stream)?.message.contains(path) == true)
        #expect(harness.events.headers(of: stream).count == 1)
    }

    @Test("grpc-S1, abuse-G12: a request that is not gRPC gets an HTTP status")
    func notGRPC() throws {
        let harness = try ServerHarness()
        let fields =
            Sample.request.filter { $0.name != "content-type" } + [HTTP2Field("content-type", "text/plain")]
        let stream = try harness.request(FixedBody([1, 2, 3]), fields: fields)
        #expect(harness.events.headers(of: stream).first?.first(":status") == "415")
    }

    @Test("grpc-A2, grpc-A4, abuse-G3: a bad message ends the call while the client is still sending")
    func earlyError() throws {
        let harness = try ServerHarness()
        let stream = try harness.request(FixedBody([0, 0xff, 0xff, 0xff, 0xff], end: .open))
        #expect(harness.status(of: stream)?.code == .resourceExhausted)
        #expect(harness.events.headers(of: stream).count == 1)
        #expect(try harness.request(FixedBody([])) == 3)
        #expect(harness.status(of: 3) == .ok)
    }

    @Test(
        "grpc-A4: RST_STREAM(NO_ERROR) stops a client that has not stopped by itself a second after its status"
    )
    func resetAfterEarlyStatus() throws {
        let harness = try ServerHarness()
        let stream = try harness.request(FixedBody([0, 0xff, 0xff, 0xff, 0xff], end: .open))
        harness.channel.embeddedEventLoop.advanceTime(by: .milliseconds(999))
        try harness.exchange()
        #expect(harness.status(of: stream)?.code == .resourceExhausted)
        #expect(harness.events.closingCode(of: stream) == nil)
        harness.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        try harness.exchange()
        #expect(harness.events.closingCode(of: stream) == .noError)
    }

    @Test("grpc-K16: a stream's window follows what the handler has consumed")
    func credit() throws {
        let handler = NotingHandler()
        handler.onReceive = { _ in ServerReply() }
        let harness = try harness(handler)
        let window = Int(HTTP2Configuration().streamWindow)
        let body = FixedBody(Array(repeating: 0, count: window + 100_000))
        let stream = try harness.request(body)
        #expect(handler.received == window)
        let other = try harness.request(FixedBody([], end: .open))
        #expect(harness.status(of: other) == nil)
        #expect(harness.status(of: stream) == nil)
    }

    @Test("grpc-K16: the connection's window does not wait for a slow handler")
    func connectionCredit() throws {
        let slow = NotingHandler()
        slow.onReceive = { _ in ServerReply() }
        let harness = try harness(slow)
        let window = Int(HTTP2Configuration().streamWindow)
        for _ in 0..<4 { _ = try harness.request(FixedBody(Array(repeating: 0, count: window))) }
        #expect(slow.received == 4 * window)
    }

    @Test("grpc-S14, abuse-D1: a deadline ends the call, and the handler is told")
    func deadline() throws {
        let handler = NotingHandler()
        let harness = try harness(handler)
        let fields = Sample.request + [HTTP2Field("grpc-timeout", "100m")]
        let stream = try harness.request(FixedBody([1], end: .open), fields: fields)
        harness.channel.embeddedEventLoop.advanceTime(by: .milliseconds(99))
        try harness.exchange()
        #expect(harness.status(of: stream) == nil)
        harness.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        try harness.exchange()
        #expect(harness.status(of: stream)?.code == .deadlineExceeded)
        #expect(handler.cancellation?.code == .deadlineExceeded)
    }

    @Test(
        "grpc-S14, abuse-D2: a timeout that has passed on arrival, even if the whole call arrives with it",
        arguments: ["0m", "0n", "1n"], [HTTP2BodyState.open, .finished(trailers: [])])
    func expired(_ timeout: String, _ end: HTTP2BodyState) throws {
        let harness = try ServerHarness()
        let fields = Sample.request + [HTTP2Field("grpc-timeout", timeout)]
        let body = FixedBody(Numbers.encode([1, 2]), end: end)
        let stream = try harness.request(body, fields: fields)
        #expect(harness.status(of: stream)?.code == .deadlineExceeded)
        #expect(harness.events.body(of: stream).isEmpty)
    }

    @Test("grpc-S13, abuse-D2: the longest timeout")
    func longestDeadline() throws {
        let harness = try ServerHarness()
        let fields = Sample.request + [HTTP2Field("grpc-timeout", "99999999H")]
        let stream = try harness.request(FixedBody([]), fields: fields)
        #expect(harness.status(of: stream) == .ok)
    }

    @Test("grpc-S15: a client's CANCEL reaches the handler, and no response is sent")
    func cancel() throws {
        let handler = NotingHandler()
        let harness = try harness(handler)
        let stream = try harness.request(FixedBody([1], end: .open))
        try harness.client.submitReset(.cancel, on: stream)
        try harness.exchange()
        #expect(handler.cancellation?.code == .cancelled)
        #expect(harness.events.headers(of: stream).isEmpty)
    }

    @Test("grpc-S16: a lost connection cancels its calls")
    func lostConnection() throws {
        let handler = NotingHandler()
        let harness = try harness(handler)
        _ = try harness.request(FixedBody([1], end: .open))
        try harness.channel.close().wait()
        #expect(handler.cancellation?.code == .cancelled)
        #expect(!handler.hasEnd)
    }

    @Test("grpc-S23: no more open calls than announced")
    func concurrentStreams() throws {
        let handler = NotingHandler()
        var configuration = GRPCServer.Configuration()
        configuration.maxConcurrentStreams = 2
        let harness = try harness(handler, configuration)
        for _ in 0..<3 { _ = try harness.request(FixedBody([1], end: .open)) }
        #expect(handler.received == 2)
        try harness.client.submitReset(.cancel, on: 1)
        try harness.exchange()
        #expect(handler.received == 3)
    }

    @Test(
        "grpc-K1, abuse-L1: drain announces, waits for the PING, refuses, and closes when the last call has ended"
    )
    func drain() throws {
        let harness = try ServerHarness()
        let body = FixedBody(Numbers.encode([1]), end: .open)
        let stream = try harness.request(body)
        harness.channel.pipeline.fireUserInboundEventTriggered(
            ConnectionAction<ServerConnection> { $0.drain("") })
        try harness.exchange()
        let farewells = harness.events.compactMap { event -> Int32? in
            if case .goAway(let last, .noError, _) = event { last } else { nil }
        }
        #expect(farewells == [.max, stream])
        #expect(harness.channel.isActive)
        body.end = .finished(trailers: [])
        harness.client.resume(stream)
        try harness.exchange()
        #expect(harness.status(of: stream) == .ok)
        // The client closes the connection, or the server does after it has waited for that.
        harness.channel.embeddedEventLoop.advanceTime(by: .milliseconds(999))
        #expect(harness.channel.isActive)
        harness.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!harness.channel.isActive)
    }

    @Test(
        "grpc-K1: a client that does not acknowledge the PING is refused after a second, and cut off after another"
    )
    func drainWithoutPing() throws {
        let harness = try ServerHarness()
        harness.channel.pipeline.fireUserInboundEventTriggered(
            ConnectionAction<ServerConnection> { $0.drain("") })
        harness.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1999))
        #expect(harness.channel.isActive)
        harness.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!harness.channel.isActive)
    }

    @Test(
        "grpc-K18: a client that does not begin HTTP/2 is dropped; one that has begun may be idle",
        arguments: [0, 23, 24])
    func handshake(_ bytesSent: Int) throws {
        let silent = EmbeddedChannel()
        try silent.pipeline.syncOperations.addHandler(
            ConnectionHandler(ServerConnection(methods: [:], limits: .init())))
        try silent.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        try silent.writeInbound(ByteBuffer(bytes: preface.utf8.prefix(bytesSent)))
        silent.embeddedEventLoop.advanceTime(by: .milliseconds(9999))
        #expect(silent.isActive)
        silent.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!silent.isActive)

        let harness = try ServerHarness()
        harness.channel.embeddedEventLoop.advanceTime(by: .minutes(5) - .seconds(1))
        #expect(harness.channel.isActive)
    }

    @Test(
        "abuse-L5: a connection that is lost while it responds is freed, even with a handler that retains its call"
    )
    func lostWhileAnswering() throws {
        let made = MadeHandler()
        let method = GRPCMethod(path: Self.path) { context in
            let handler = ContextHandler(context: context)
            made.handler = handler
            return handler
        }
        try withExtendedLifetime(ServerHarness(methods: [method])) { harness in
            _ = try harness.request(FixedBody([0, 0, 0, 0, 0], end: .open))
            #expect(made.handler != nil)
            _ = try harness.channel.finish()
        }
        #expect(made.handler == nil)
    }
}

/// One thread uses it.
private final class MadeHandler: @unchecked Sendable {
    weak var handler: ContextHandler?
}

/// Responds to what it receives, and continues.
private final class ContextHandler: ServerCallHandler {
    let outlivesStream = false
    let context: ServerCallContext

    init(context: ServerCallContext) {
        self.context = context
    }

    func receive(_ bytes: ByteBuffer) -> ServerReply {
        var reply = ServerReply(consumed: bytes.readableBytes)
        reply.messages = bytes
        return reply
    }

    func receiveEnd() -> ServerReply { ServerReply(end: .ok) }
    func cancel(_ reason: GRPCStatus) {}
}
