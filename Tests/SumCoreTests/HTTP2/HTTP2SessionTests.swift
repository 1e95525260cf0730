import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

@Suite struct HTTP2SessionTests {
    private let body: [UInt8] = (0..<2000).map { UInt8(truncatingIfNeeded: $0) }

    /// A whole call: request with a body, response with a body and trailers.
    private func call(pieceLength: Int) throws -> SessionPair {
        var pair = try SessionPair()
        pair.pieceLength = pieceLength
        let stream = try pair.client.submitRequest(Sample.request, body: FixedBody(body))
        try pair.exchange()
        try pair.server.submitResponse(
            Sample.response, body: FixedBody([1, 2, 3], end: .finished(trailers: Sample.ok)), on: stream)
        try pair.exchange()
        return pair
    }

    @Test(
        "abuse-H4, grpc-A18: a call arrives complete however its bytes are cut",
        arguments: [1, 2, 3, 5, 8, 9, 10, 100, 4096])
    func everyPieceLength(_ length: Int) throws {
        let pair = try call(pieceLength: length)
        #expect(pair.serverEvents.headers(of: 1) == [Sample.request])
        #expect(pair.serverEvents.body(of: 1) == body)
        #expect(pair.serverEvents.hasEnd(of: 1))
        #expect(pair.clientEvents.headers(of: 1) == [Sample.response, Sample.ok])
        #expect(pair.clientEvents.body(of: 1) == [1, 2, 3])
        #expect(pair.clientEvents.closingCode(of: 1) == .noError)
        #expect(pair.serverEvents.closingCode(of: 1) == .noError)
    }

    @Test("abuse-K12: a body flows through a window of one byte at a time")
    func tinyWindow() throws {
        var configuration = HTTP2Configuration()
        configuration.streamWindow = 1
        var pair = try SessionPair(server: configuration)
        try pair.exchange()
        _ = try pair.client.submitRequest(Sample.request, body: FixedBody([1, 2, 3, 4, 5]))
        try pair.exchange()
        #expect(pair.serverEvents.body(of: 1) == [1])
        for received in 2...5 {
            try pair.server.creditConnection(1)
            try pair.server.creditStream(1, 1)
            try pair.exchange()
            #expect(pair.serverEvents.body(of: 1).count == received)
        }
        #expect(pair.serverEvents.hasEnd(of: 1))
    }

    @Test("grpc-K16: a stream whose bytes are not consumed stalls only itself")
    func withheldCredit() throws {
        var configuration = HTTP2Configuration()
        configuration.streamWindow = 1000
        var pair = try SessionPair(server: configuration)
        try pair.exchange()
        _ = try pair.client.submitRequest(Sample.request, body: FixedBody(body))
        _ = try pair.client.submitRequest(Sample.request, body: FixedBody([7]))
        try pair.exchange()
        #expect(pair.serverEvents.body(of: 1).count == 1000)
        #expect(pair.serverEvents.body(of: 3) == [7])
    }

    @Test("A body with nothing to send is parked and pulled again later")
    func parkedBody() throws {
        var pair = try SessionPair()
        let body = FixedBody([1], end: .open)
        let stream = try pair.client.submitRequest(Sample.request, body: body)
        try pair.exchange()
        #expect(pair.serverEvents.body(of: stream) == [1])
        body.bytes = ByteBuffer(bytes: [2])
        body.end = .finished(trailers: [])
        pair.client.resume(stream)
        try pair.exchange()
        #expect(pair.serverEvents.body(of: stream) == [1, 2])
        #expect(pair.serverEvents.hasEnd(of: stream))
    }

    @Test("grpc-R7: an empty body is an empty DATA frame with END_STREAM")
    func emptyBody() throws {
        var pair = try SessionPair()
        try pair.exchange()
        _ = try pair.client.submitRequest(Sample.request, body: FixedBody([]))
        while try pair.client.send(limit: 1 << 20) {}
        let sent = pair.client.allOutput()
        #expect(Array(sent.readableBytesView.suffix(9)) == [0, 0, 0, 0, 1, 0, 0, 0, 1])
        try pair.server.receive(sent)
        try pair.exchange()
        #expect(pair.serverEvents.hasEnd(of: 1))
    }

    @Test("Output stops near its limit and continues from there")
    func outputLimit() throws {
        var pair = try SessionPair()
        try pair.exchange()
        _ = try pair.client.submitRequest(
            Sample.request, body: FixedBody(Array(repeating: 9, count: 200_000)))
        #expect(try pair.client.send(limit: 50_000))
        #expect((50_000..<70_000).contains(pair.client.outputCount))
        try pair.exchange()
        #expect(pair.serverEvents.body(of: 1).count == 200_000)
    }

    @Test(
        "grpc-R6: long pieces of a body keep their order among copied bytes",
        arguments: [1, 20_000, Int.max])
    func longPieces(_ window: Int) throws {
        var configuration = HTTP2Configuration()
        configuration.streamWindow = Int32(clamping: window)
        var pair = try SessionPair(server: configuration)
        try pair.exchange()
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let long = PiecewiseBody(bytes, end: .finished(trailers: Sample.ok))
        let streams = try [long, FixedBody(Array(bytes.prefix(3000)))].map {
            try pair.client.submitRequest(Sample.request, body: $0)
        }
        try pair.exchange()
        while window < bytes.count,
            pair.serverEvents.body(of: streams[0]).count < min(bytes.count, 10 * window)
        {
            try pair.server.creditConnection(window)
            try pair.server.creditStream(streams[0], window)
            try pair.exchange()
        }
        let arrived = pair.serverEvents.body(of: streams[0])
        #expect(arrived == Array(bytes.prefix(arrived.count)))
        #expect(arrived.count == min(bytes.count, max(10 * min(window, bytes.count), 10)))
        #expect(pair.serverEvents.body(of: streams[1]) == Array(bytes.prefix(min(3000, window))))
        #expect((long.piecesTaken > 0) == (window > 1))
        #expect(pair.serverEvents.headers(of: streams[0]).last == (window > 1 ? Sample.ok : Sample.request))
    }

    @Test("grpc-A4: trailers, and then RST_STREAM(NO_ERROR), reach a client that is still sending")
    func earlyEnd() throws {
        var pair = try SessionPair()
        let stream = try pair.client.submitRequest(Sample.request, body: FixedBody([1], end: .open))
        try pair.exchange()
        try pair.server.submitResponse(
            Sample.response, body: FixedBody([], end: .finished(trailers: Sample.ok)), on: stream)
        while try pair.server.send(limit: 1 << 20) {}
        let events = pair.server.takeEvents()
        let endWasSent = events.contains { if case .endStreamSent(stream) = $0 { true } else { false } }
        #expect(endWasSent)
        try pair.server.submitReset(.noError, on: stream)
        try pair.exchange()
        #expect(pair.clientEvents.headers(of: stream) == [Sample.response, Sample.ok])
        #expect(pair.clientEvents.closingCode(of: stream) == .noError)
    }

    @Test(
        "grpc-S18, abuse-R4: a header list over the limit is reported with its length, and not kept")
    func headerLimit() throws {
        var pair = try SessionPair()
        let bytes = HTTP2Field("x-long", String(repeating: "a", count: 9000))
        _ = try pair.client.submitRequest(Sample.request + [bytes], body: FixedBody([]))
        let fields = (0..<101).map { HTTP2Field("x-\($0)", "v") }
        _ = try pair.client.submitRequest(Sample.request + fields, body: FixedBody([]))
        _ = try pair.client.submitRequest(Sample.request, body: FixedBody([]))
        try pair.exchange()
        let tooLong = pair.serverEvents.compactMap { event -> String? in
            guard case .headersTooLong(_, let fields, let length, _) = event else { return nil }
            #expect(fields.listSize <= 8192)
            #expect(fields.count <= 100)
            return length
        }
        #expect(
            tooLong == [
                "9348 bytes, and the limit is 8192", "107 fields, and the limit is 100",
            ])
        #expect(pair.serverEvents.headers(of: 1).isEmpty)
        #expect(pair.serverEvents.headers(of: 5) == [Sample.request])
    }

    @Test("abuse-G14: a body that does not match its content-length never ends")
    func contentLengthLie() throws {
        var pair = try SessionPair()
        _ = try pair.client.submitRequest(
            Sample.request + [HTTP2Field("content-length", "9")], body: FixedBody([1, 2, 3]))
        try pair.exchange()
        #expect(!pair.serverEvents.hasEnd(of: 1))
        #expect(pair.serverEvents.closingCode(of: 1) == .protocolError)
    }

    @Test(
        "grpc-K1, grpc-K2: the first GOAWAY refuses nothing, the second refuses streams above its last stream id"
    )
    func goAway() throws {
        var pair = try SessionPair()
        let first = try pair.client.submitRequest(Sample.request, body: FixedBody([1], end: .open))
        try pair.exchange()
        try pair.server.submitShutdownNotice()
        let second = try pair.client.submitRequest(Sample.request, body: FixedBody([]))
        try pair.exchange()
        #expect(pair.serverEvents.headers(of: second) == [Sample.request])
        try pair.server.submitGoAway()
        try pair.exchange()
        let third = try pair.client.submitRequest(Sample.request, body: FixedBody([]))
        try pair.exchange()
        #expect(pair.serverEvents.headers(of: third).isEmpty)
        let wasNotSent = pair.clientEvents.contains {
            if case .notSent(.request, third, _) = $0 { true } else { false }
        }
        #expect(wasNotSent)
        #expect(pair.clientEvents.closingCode(of: first) == nil)
        #expect(!pair.server.isFinished)
        for stream in [first, second] {
            try pair.server.submitResponse(Sample.response + Sample.ok, body: nil, on: stream)
            try pair.server.submitReset(.noError, on: stream)
        }
        try pair.exchange()
        #expect(pair.server.isFinished)
    }

    @Test("grpc-A19: a PING is acknowledged with its payload")
    func ping() throws {
        var pair = try SessionPair()
        try pair.server.submitPing(payload: 0x0102_0304_0506_0708)
        try pair.exchange()
        let payloads = pair.serverEvents.compactMap { event -> UInt64? in
            if case .pingAcknowledged(let payload) = event { payload } else { nil }
        }
        #expect(payloads == [0x0102_0304_0506_0708])
    }

    @Test(
        "grpc-K19: bytes that are not HTTP/2 are an error, not a crash",
        arguments: ["GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}"])
    func notHTTP2(_ text: String) throws {
        let server = try HTTP2Session(role: .server)
        #expect(throws: NGHTTP2Error.badClientMagic) {
            try server.receive(ByteBuffer(string: text + String(repeating: "x", count: 40)))
        }
    }

    @Test(
        "A reset carries its code to the peer", arguments: [HTTP2ErrorCode.cancel, .noError, .refusedStream])
    func reset(_ code: HTTP2ErrorCode) throws {
        var pair = try SessionPair()
        let stream = try pair.client.submitRequest(Sample.request, body: FixedBody([1], end: .open))
        try pair.exchange()
        try pair.client.submitReset(code, on: stream)
        try pair.exchange()
        #expect(pair.serverEvents.closingCode(of: stream) == code)
    }

    @Test("abuse-H7: the bytes of small frames are gathered, in order, but not across streams")
    func smallFrames() throws {
        let server = try HTTP2Session(role: .server)
        let frames: [WireFrame] = [
            .settings(), .headers(.request, on: 1), .headers(.request, on: 3), .data([1], on: 1),
            .data([2, 3], on: 1),
            .data([4], on: 3), .data([5], on: 1), .data(Array(repeating: 6, count: 300), on: 1),
        ]
        try server.receive(ByteBuffer(bytes: WireFrame.preface + frames.flatMap(\.bytes)))
        let events = server.takeEvents()
        let pieces = events.compactMap { event -> [Int]? in
            if case .data(let streamID, let bytes) = event {
                [Int(streamID), bytes.readableBytes]
            } else {
                nil
            }
        }
        #expect(pieces == [[1, 3], [3, 1], [1, 1], [1, 300]])
        #expect(events.body(of: 1).prefix(4) == [1, 2, 3, 5])
    }

    @Test("audit-M5: a response to a closed stream keeps no body, and sends nothing")
    func goneStream() throws {
        var pair = try SessionPair()
        let stream = try pair.client.submitRequest(Sample.request, body: FixedBody([]))
        try pair.exchange()
        try pair.client.submitReset(.cancel, on: stream)
        try pair.exchange()
        #expect(pair.serverEvents.closingCode(of: stream) == .cancel)
        try pair.server.submitResponse(Sample.response, body: FixedBody([1, 2, 3]), on: stream)
        try pair.exchange()
        #expect(pair.server.bodies.count == 0)
        #expect(pair.clientEvents.headers(of: stream).isEmpty)
    }
}
