import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import SumCore

/// A client's connection without a socket, against a bare HTTP/2 server. Time stands still unless advanced.
private final class ClientHarness {
    let channel = EmbeddedChannel()
    let server: HTTP2Session
    let handler: ConnectionHandler<ClientConnection>
    private(set) var events: [HTTP2Event] = []

    init() throws {
        server = try HTTP2Session(role: .server)
        handler = ConnectionHandler(try ClientConnection())
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        try exchange()
    }

    func exchange() throws {
        events += try SumCoreTests.exchange(server, with: channel)
    }

    /// Starts a call that has sent the number 1 and may send more.
    func start(timeout: Duration? = nil) throws -> (handler: NotingCaller, stream: ClientStream?) {
        let caller = NotingCaller()
        let request = GRPCRequestHead(path: SumNumbers.path, authority: "localhost", timeout: timeout)
        let stream = handler.run { $0.start(request, handler: caller) }
        try exchange()
        return (caller, stream)
    }
}

/// Sends one number, stays open, and notes how the call ended.
private final class NotingCaller: ClientCallHandler, HTTP2Body {
    private struct State {
        var toSend = ByteBuffer(bytes: [0, 0, 0, 0, 2, 8, 1])
        var endings: [GRPCStatus] = []
    }
    private let state = Mutex(State())

    var endings: [GRPCStatus] { state.withLock { $0.endings } }

    var requestBody: any HTTP2Body { self }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        state.withLock { state in
            frame.append(moving: &state.toSend)
            return .open
        }
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int { bytes.readableBytes }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {}

    func end(_ end: ClientCallEnd) {
        state.withLock { $0.endings.append(end.status) }
    }
}

@Suite struct ClientConnectionTests {
    @Test("grpc-A5, grpc-A6: a status before our END_STREAM stops sending, with RST_STREAM(NO_ERROR)")
    func earlyStatus() throws {
        let harness = try ClientHarness()
        let (handler, _) = try harness.start()
        let fields = Sample.response + [HTTP2Field("grpc-status", "7")]
        try harness.server.submitResponse(fields, body: nil, on: 1)
        try harness.exchange()
        #expect(handler.endings.map(\.code) == [.permissionDenied])
        #expect(harness.events.closingCode(of: 1) == .noError)
    }

    @Test(
        "grpc-A7, abuse-K3: a reset ends the call once",
        arguments: [
            (HTTP2ErrorCode.refusedStream, GRPCStatus.Code.unavailable), (.cancel, .cancelled),
            (.enhanceYourCalm, .resourceExhausted),
            (.internalError, .internalError), (.noError, .internalError),
        ])
    func reset(_ code: HTTP2ErrorCode, _ status: GRPCStatus.Code) throws {
        let harness = try ClientHarness()
        let (handler, _) = try harness.start()
        try harness.server.submitReset(code, on: 1)
        try harness.exchange()
        #expect(handler.endings.map(\.code) == [status])
    }

    @Test("abuse-D3: the deadline is enforced without the server, which gets RST_STREAM(CANCEL)")
    func deadline() throws {
        let harness = try ClientHarness()
        let (handler, _) = try harness.start(timeout: .milliseconds(100))
        #expect(harness.events.headers(of: 1).first?.first("grpc-timeout") != nil)
        harness.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        try harness.exchange()
        #expect(handler.endings.map(\.code) == [.deadlineExceeded])
        #expect(harness.events.closingCode(of: 1) == .cancel)
    }

    @Test("grpc-R5: a deadline that has passed is not sent")
    func expired() throws {
        let harness = try ClientHarness()
        let (handler, stream) = try harness.start(timeout: .zero)
        #expect(stream == nil)
        #expect(handler.endings.map(\.code) == [.deadlineExceeded])
        #expect(harness.events.headers(of: 1).isEmpty)
    }

    @Test("abuse-K16: cancelling tells the server")
    func cancel() throws {
        let harness = try ClientHarness()
        let (handler, stream) = try harness.start()
        let running = try #require(stream)
        harness.handler.run { $0.cancel(running, .init(code: .cancelled)) }
        try harness.exchange()
        #expect(handler.endings.map(\.code) == [.cancelled])
        #expect(harness.events.closingCode(of: 1) == .cancel)
    }

    @Test("grpc-A14: headers between messages fail the call, and the stream is cancelled")
    func secondHeaders() throws {
        let harness = try ClientHarness()
        let (handler, _) = try harness.start()
        try harness.server.submitResponse(Sample.response, body: FixedBody([], end: .open), on: 1)
        try harness.exchange()
        #expect(handler.endings.isEmpty)
        try harness.server.submitResponse(Sample.response, body: FixedBody([], end: .open), on: 1)
        try harness.exchange()
        #expect(handler.endings.map(\.code) == [.internalError])
    }

    @Test("abuse-K5: after GOAWAY new calls fail at once, open calls go on, and end once")
    func goAway() throws {
        let harness = try ClientHarness()
        let (first, _) = try harness.start()
        try harness.server.submitGoAway(.noError)
        try harness.exchange()
        let (second, _) = try harness.start()
        #expect(second.endings.map(\.code) == [.unavailable])
        #expect(first.endings.isEmpty)
        try harness.server.submitResponse(Sample.response + Sample.ok, body: nil, on: 1)
        try harness.exchange()
        #expect(first.endings == [.ok])
        #expect(second.endings.count == 1)
    }

    @Test("abuse-K5: a lost connection ends its calls with the reason in the server's GOAWAY")
    func lost() throws {
        let harness = try ClientHarness()
        let (handler, _) = try harness.start()
        try harness.server.submitGoAway(.enhanceYourCalm, debug: "too_many_pings")
        try harness.exchange()
        try harness.channel.close().wait()
        #expect(handler.endings.map(\.code) == [.unavailable])
        #expect(handler.endings.first?.message.contains("ENHANCE_YOUR_CALM, too_many_pings") == true)
    }

    @Test("Shutting a connection down ends its calls, sends GOAWAY, and closes it")
    func shutDown() throws {
        let harness = try ClientHarness()
        let (handler, _) = try harness.start()
        harness.handler.run { $0.shutDown(within: .milliseconds(500)) }
        try harness.exchange()
        #expect(handler.endings.map(\.code) == [.cancelled])
        #expect(harness.events.closingCode(of: 1) == .cancel)
        harness.channel.embeddedEventLoop.run()
        #expect(!harness.channel.isActive)
    }
}
