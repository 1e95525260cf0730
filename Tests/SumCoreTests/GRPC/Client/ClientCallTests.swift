import NIOCore
import Testing

@testable import SumCore

extension ClientCall {
    /// The status that a header block ends the call with; nil when it goes on.
    fileprivate mutating func status(_ fields: [HTTP2Field], endStream: Bool) -> GRPCStatus? {
        if case .end(let end) = receiveHeaders(ResponseBlock(fields), endStream: endStream) {
            end.status
        } else {
            nil
        }
    }
}

@Suite struct ClientCallTests {
    private static let headers = [
        HTTP2Field(":status", "200"), HTTP2Field("content-type", "application/grpc"),
    ]

    private func fields(_ pairs: KeyValuePairs<String, String>) -> [HTTP2Field] {
        pairs.map { HTTP2Field($0.key, $0.value) }
    }

    @Test("grpc-A1: headers, messages, trailers")
    func success() {
        var call = ClientCall()
        #expect(call.status(Self.headers, endStream: false) == nil)
        #expect(call.receive(ByteBuffer()) == .messages)
        #expect(call.status(fields(["grpc-status": "0"]), endStream: true) == .ok)
        #expect(call.hasEnded)
        #expect(call.closed(.noError, deadlineHasPassed: true) == nil)
    }

    @Test("grpc-A2, grpc-A3: a status in the headers, with its message decoded")
    func trailersOnly() {
        var call = ClientCall()
        let status = call.status(
            Self.headers + fields(["grpc-status": "11", "grpc-message": "100%25"]), endStream: true)
        #expect(status == GRPCStatus(code: .outOfRange, message: "100%"))
    }

    @Test("abuse-K15: 1xx responses are skipped")
    func informational() {
        var call = ClientCall()
        #expect(call.status(fields([":status": "103", "link": "x"]), endStream: false) == nil)
        #expect(call.status(Self.headers, endStream: false) == nil)
        #expect(call.status(fields(["grpc-status": "0"]), endStream: true) == .ok)
    }

    @Test("grpc-A9, grpc-A10, abuse-K6: a response that is not gRPC is quoted, shortened and escaped")
    func foreignBody() {
        var call = ClientCall()
        #expect(
            call.status(fields([":status": "502", "content-type": "text/html"]), endStream: false)
                == nil)
        #expect(call.receive(ByteBuffer(string: "<h1>Bad\u{1b} gateway</h1>")) == .nothing)
        guard case .end(let end) = call.receive(ByteBuffer(repeating: 0x61, count: 1000)) else {
            Issue.record("the call goes on although there is enough to quote")
            return
        }
        let status: GRPCStatus? = end.status
        #expect(status?.code == .unavailable)
        let expected =
            "the response is not gRPC: HTTP status 502, content-type 'text/html': \"<h1>Bad\\u{1B} gateway</h1>aaa"
        #expect(status?.message.hasPrefix(expected) == true)
        #expect((status?.message.count ?? 0) < 400)
    }

    @Test("grpc-A9: a response without a body; a grpc-status takes precedence over the HTTP status")
    func foreignHeaders() {
        var plain = ClientCall()
        #expect(plain.status(fields([":status": "404"]), endStream: true)?.code == .unimplemented)
        var withStatus = ClientCall()
        let both = fields([":status": "503", "grpc-status": "5"])
        #expect(withStatus.status(both, endStream: true)?.code == .notFound)
        var trailing = ClientCall()
        _ = trailing.status(fields([":status": "503"]), endStream: false)
        #expect(trailing.status(fields(["grpc-status": "5"]), endStream: true)?.code == .notFound)
    }

    @Test("grpc-A13, abuse-K8: trailers take precedence over a status in the headers")
    func statusTwice() {
        var call = ClientCall()
        #expect(call.status(Self.headers + fields(["grpc-status": "0"]), endStream: false) == nil)
        #expect(call.status(fields(["grpc-status": "10"]), endStream: true)?.code == .aborted)
    }

    @Test("grpc-A12, abuse-K7: a response without a grpc-status")
    func noStatus() {
        var trailers = ClientCall()
        _ = trailers.status(Self.headers, endStream: false)
        #expect(trailers.status(fields(["x": "y"]), endStream: true)?.code == .unknown)
        var data = ClientCall()
        _ = data.status(Self.headers, endStream: false)
        #expect(data.receiveEnd()?.status.code == .internalError)
        var headers = ClientCall()
        #expect(headers.status(Self.headers, endStream: true)?.code == .unknown)
    }

    @Test("grpc-A14: headers between messages")
    func secondHeaders() {
        var call = ClientCall()
        _ = call.status(Self.headers, endStream: false)
        #expect(call.status(Self.headers, endStream: false)?.code == .internalError)
    }

    @Test("grpc-A15: a response compressed with an algorithm that was not offered")
    func compressed() {
        var call = ClientCall()
        let status = call.status(Self.headers + fields(["grpc-encoding": "br"]), endStream: false)
        #expect(status?.code == .internalError)
        #expect(status?.message.contains("br") == true)
    }

    @Test("Metadata of headers and trailers, and the server's retry pushback")
    func metadata() throws {
        var call = ClientCall()
        var expected = GRPCMetadata()
        try expected.add("a", "1")
        try expected.add("a", "2")
        let headers = Self.headers + fields(["a": "1", "a": "2", "grpc-encoding": "gzip"])
        #expect(call.receiveHeaders(ResponseBlock(headers), endStream: false) == .begin(expected, .gzip))
        let trailers = fields(["grpc-status": "14", "a": "1", "grpc-retry-pushback-ms": "7", "a": "2"])
        let end = ClientCallEnd(
            status: GRPCStatus(code: .unavailable), trailers: expected, pushback: "7", reach: .answered)
        #expect(call.receiveHeaders(ResponseBlock(trailers), endStream: true) == .end(end))
    }

    @Test("grpc-K14: only a call that was refused before its response is known not to have been seen")
    func reach() {
        var refused = ClientCall()
        #expect(refused.closed(.refusedStream, deadlineHasPassed: false)?.reach == .notSeenByServer)
        var cancelled = ClientCall()
        #expect(cancelled.closed(.cancel, deadlineHasPassed: false)?.reach == .maybeSeen)
        var answered = ClientCall()
        _ = answered.receiveHeaders(ResponseBlock(Self.headers), endStream: false)
        #expect(answered.closed(.refusedStream, deadlineHasPassed: false)?.reach == .answered)
    }

    @Test("grpc-A6, abuse-K3: a reset without trailers is a failure, whatever its code")
    func reset() {
        var call = ClientCall()
        #expect(call.closed(.noError, deadlineHasPassed: false)?.status.code == .internalError)
        #expect(call.closed(.noError, deadlineHasPassed: false) == nil)
        var refused = ClientCall()
        #expect(refused.closed(.refusedStream, deadlineHasPassed: false)?.status.code == .unavailable)
    }

    @Test("grpc-A8: the server's CANCEL after the deadline is DEADLINE_EXCEEDED")
    func cancelAfterDeadline() {
        var late = ClientCall()
        #expect(late.closed(.cancel, deadlineHasPassed: true)?.status.code == .deadlineExceeded)
        var early = ClientCall()
        #expect(early.closed(.cancel, deadlineHasPassed: false)?.status.code == .cancelled)
    }

    @Test("A call ends exactly once")
    func failOnce() {
        var call = ClientCall()
        #expect(call.fail(.deadlineExceeded)?.status == .deadlineExceeded)
        #expect(call.fail(.deadlineExceeded) == nil)
        #expect(call.status(Self.headers, endStream: true) == nil)
        #expect(call.receive(ByteBuffer()) == .nothing)
        #expect(call.receiveEnd() == nil)
    }

    // MARK: What was sent, and how far it got

    @Test("audit-W1: a lost connection reports how far the request got, as far as that is known")
    func lost() {
        let status = GRPCStatus(code: .unavailable)
        var queued = ClientCall()
        #expect(queued.lost(status)?.reach == .notSentOnWire)
        var sent = ClientCall()
        sent.headSent()
        #expect(sent.lost(status)?.reach == .maybeSeen)
        var broken = ClientCall()
        broken.headSent()
        #expect(broken.lost(status, isBroken: true)?.reach == .answered)
        var queuedAndBroken = ClientCall()
        #expect(queuedAndBroken.lost(status, isBroken: true)?.reach == .notSentOnWire)
        var begun = ClientCall()
        begun.headSent()
        begun.responseBegun()
        #expect(begun.lost(status)?.reach == .answered)
        var informed = ClientCall()
        _ = informed.status(fields([":status": "103"]), endStream: false)
        #expect(informed.closed(.refusedStream, deadlineHasPassed: false)?.reach == .answered)
    }

    @Test("audit-W1: a call that ends on our side is never reported as not seen")
    func ownEnds() {
        var queued = ClientCall()
        #expect(queued.fail(.deadlineExceeded)?.reach == .maybeSeen)
        var begun = ClientCall()
        begun.responseBegun()
        #expect(begun.fail(.deadlineExceeded)?.reach == .answered)
    }

    @Test("audit-W2: the end reports whether everything was sent on this stream")
    func everythingWasSent() throws {
        for (hasHead, hasEnd) in [(false, false), (true, false), (true, true)] {
            var call = ClientCall()
            if hasHead { call.headSent() }
            if hasEnd { call.endSent() }
            _ = call.status(Self.headers, endStream: false)
            guard
                case .end(let end) = call.receiveHeaders(
                    ResponseBlock(fields(["grpc-status": "0"])), endStream: true)
            else {
                Issue.record("no end")
                continue
            }
            #expect(end.status == .ok)
            #expect(end.everythingWasSent == hasEnd)
        }
    }

    @Test("audit-C1: what the call was doing when its deadline passed")
    func activity() {
        var call = ClientCall()
        #expect(call.activity == "waiting to send the request")
        call.headSent()
        #expect(call.activity == "sending the request")
        call.endSent()
        #expect(call.activity == "waiting for the server's response")
        call.responseBegun()
        #expect(call.activity == "receiving the server's response")
        let late = call.closed(.cancel, deadlineHasPassed: true)?.status
        #expect(late?.message == "the deadline has passed while receiving the server's response")
    }

    // MARK: Endless and unusual responses

    @Test("audit-M7: 32 informational responses are skipped, one more ends the call")
    func tooManyInformational() {
        var call = ClientCall()
        for _ in 0..<32 { #expect(call.status(fields([":status": "103"]), endStream: false) == nil) }
        var other = call
        #expect(other.status(Self.headers, endStream: false) == nil)
        let status = call.status(fields([":status": "103"]), endStream: false)
        #expect(
            status
                == GRPCStatus(
                    code: .internalError,
                    message: "the server sent more than 32 informational (1xx) responses"))
    }

    @Test("audit-M7: the status of a response that is not gRPC survives its stream and its connection")
    func foreignStatus() {
        func foreign() -> ClientCall {
            var call = ClientCall()
            #expect(
                call.receiveHeaders(ResponseBlock(fields([":status": "503"])), endStream: false) == .quote)
            #expect(call.receive(ByteBuffer(string: "busy")) == .nothing)
            return call
        }
        let expected = GRPCStatus(
            code: .unavailable,
            message: "the response is not gRPC: HTTP status 503, no content-type: \"busy\"")
        var (lost, reset, ended, slow) = (foreign(), foreign(), foreign(), foreign())
        #expect(lost.lost(GRPCStatus(code: .unavailable, message: "lost"))?.status == expected)
        #expect(reset.closed(.internalError, deadlineHasPassed: false)?.status == expected)
        #expect(ended.receiveEnd()?.status == expected)
        #expect(slow.endQuote()?.status == expected)
        #expect(slow.endQuote() == nil)
        var good = ClientCall()
        _ = good.status(Self.headers, endStream: false)
        #expect(good.endQuote() == nil)
    }

    @Test("audit-W1: a response that is not gRPC cannot be OK, whatever its grpc-status")
    func foreignOK() {
        var headers = ClientCall()
        let both = fields([":status": "503", "grpc-status": "0"])
        #expect(headers.status(both, endStream: true)?.code == .unavailable)
        var trailers = ClientCall()
        _ = trailers.status(fields([":status": "404"]), endStream: false)
        #expect(trailers.status(fields(["grpc-status": "0"]), endStream: true)?.code == .unimplemented)
    }

    @Test(
        "audit-W1: a grpc-status consists of digits, and two different ones are invalid",
        arguments: [
            (["0"], 0), (["00"], 0), (["+0"], 2), (["-0"], 2), ([" 0"], 2), (["0", "0"], 0),
            (["0", "13"], 13),
            (["13", "0"], 13), (["0", "0", "5"], 13), ([""], 2), (["0x0"], 2), (["4294967296"], 2),
        ] as [([String], Int)])
    func oddStatus(_ values: [String], _ code: Int) {
        var call = ClientCall()
        _ = call.status(Self.headers, endStream: false)
        let status = call.status(values.map { HTTP2Field("grpc-status", $0) }, endStream: true)
        #expect(status?.code.rawValue == code)
    }
}
