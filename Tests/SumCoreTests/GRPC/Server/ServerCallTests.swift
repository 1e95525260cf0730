import NIOCore
import Testing

@testable import SumCore

@Suite struct ServerCallTests {
    private let message = ByteBuffer(bytes: [0, 0, 0, 0, 2, 8, 1])
    private let headers = [
        HTTP2Field(":status", "200"), HTTP2Field("content-type", "application/grpc"),
        HTTP2Field("server", "grpc-swift-sum/\(Version.current)"),
    ]
    private var withMessages: [HTTP2Field] {
        headers + [HTTP2Field("grpc-accept-encoding", "identity,deflate,gzip")]
    }
    private let ok = [HTTP2Field("grpc-status", "0")]

    private func reply(_ message: ByteBuffer = ByteBuffer(), end: GRPCStatus? = nil) -> ServerReply {
        var reply = ServerReply(end: end)
        reply.messages = message
        return reply
    }

    @Test("grpc-A1, grpc-A21: headers are sent with the first message, the status in trailers, also for OK")
    func success() {
        var call = ServerCall()
        #expect(call.acceptsMessages)
        #expect(call.receiveEnd() == true)
        #expect(
            call.reply(reply(message, end: .ok))
                == .response(headers: withMessages, trailers: ok))
        #expect(call.endStreamSent() == nil)
        #expect(call.closed() == nil)
    }

    @Test("grpc-A1: several replies share one header block")
    func severalReplies() {
        var call = ServerCall()
        #expect(call.reply(reply()) == .nothing)
        #expect(
            call.reply(reply(message)) == .response(headers: withMessages, trailers: nil))
        #expect(call.reply(reply(message)) == .response(headers: nil, trailers: nil))
        #expect(call.receiveEnd() == true)
        #expect(call.reply(reply(end: .ok)) == .response(headers: nil, trailers: ok))
    }

    @Test("grpc-A2: an error before any message is a single header block")
    func trailersOnly() {
        var call = ServerCall()
        let status = GRPCStatus(code: .outOfRange, message: "50 %")
        let fields = headers + [HTTP2Field("grpc-status", "11"), HTTP2Field("grpc-message", "50 %25")]
        #expect(call.receiveEnd() == true)
        #expect(call.reply(reply(end: status)) == .trailersOnly(fields))
        #expect(call.endStreamSent() == nil)
    }

    @Test("grpc-A4: a status before the client's END_STREAM is followed by one RST_STREAM(NO_ERROR)")
    func earlyStatus() {
        var call = ServerCall()
        #expect(
            call.reply(reply(end: .init(code: .internalError)))
                == .trailersOnly(headers + [HTTP2Field("grpc-status", "13")]))
        #expect(!call.acceptsMessages)
        #expect(call.endStreamSent() == .noError)
        #expect(call.endStreamSent() == nil)
        #expect(call.closed() == nil)
    }

    @Test("grpc-A4: no RST_STREAM if the client ends its side while the status is being sent")
    func endAfterEarlyStatus() {
        var call = ServerCall()
        _ = call.reply(reply(end: .init(code: .internalError)))
        #expect(call.receiveEnd() == false)
        #expect(call.endStreamSent() == nil)
    }

    @Test("grpc-S15, grpc-S16: the handler is told that the client is gone, unless the call had ended")
    func closed() {
        var receiving = ServerCall()
        #expect(receiving.closed()?.code == .cancelled)
        #expect(receiving.closed() == nil)
        #expect(receiving.reply(reply(message, end: .ok)) == .nothing)
        #expect(!receiving.isOpen)

        var answering = ServerCall()
        _ = answering.receiveEnd()
        #expect(answering.closed()?.code == .cancelled)
    }

    @Test("grpc-S14: a deadline ends a call that has not ended: it is open until its status is given")
    func isOpen() {
        var call = ServerCall()
        #expect(call.isOpen)
        _ = call.receiveEnd()
        #expect(call.isOpen)
        _ = call.reply(reply(end: .ok))
        #expect(!call.isOpen)
    }

    @Test("Nothing follows the status")
    func afterEnd() {
        var call = ServerCall()
        _ = call.receiveEnd()
        _ = call.reply(reply(end: .ok))
        #expect(call.reply(reply(message)) == .nothing)
        #expect(call.reply(reply(end: .ok)) == .nothing)
        #expect(!call.acceptsMessages)
        #expect(call.receiveEnd() == false)
    }
}
