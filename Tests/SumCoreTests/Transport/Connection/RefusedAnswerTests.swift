import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

/// The status of a call whose response is refused: it says what was wrong, and that it was the response.
@Suite(.timeLimit(.minutes(10))) struct RefusedAnswerTests {
    private func open() throws -> (wire: WireChannel, caller: OneShotCaller) {
        let connection = try ClientConnection()
        let wire = try WireChannel(connection, ofClient: true)
        try wire.send(.settings(), .settingsAck)
        let caller = OneShotCaller([[8, 1]])
        _ = connection.start(GRPCRequestHead(path: SumNumbers.path), handler: caller)
        _ = wire.isOpen
        return (wire, caller)
    }

    private func status(_ answer: [WireFrame]) async throws -> GRPCStatus {
        let (wire, caller) = try open()
        try wire.send(bytes: answer.flatMap(\.bytes))
        #expect(wire.isOpen)
        return await caller.outcome().status
    }

    private static func length(_ length: String) -> WireFrame {
        .headers(.response + [WireField("content-length", length)], on: 1)
    }

    private static let interim = WireFrame.headers([WireField(":status", "103")], on: 1)
    private static let end = WireFrame.headers(.trailers(0), on: 1, endStream: true)

    @Test(
        "audit-P5: a response that breaks HTTP/2 is reported, with its field and numbers",
        arguments: [
            (
                [.headers([WireField(":status", "103")], on: 1, endStream: true)],
                "the interim response 103 ends the stream"
            ),
            ([.headers([WireField(":status", "101")], on: 1)], "HTTP/2 has no status 101"),
            ([interim, .data([0], on: 1)], "DATA came before the final response"),
            ([interim, .data([], on: 1, endStream: true)], "the stream ended before the final response"),
            ([interim, end], "there is no ':status'"),
            (
                [length("6"), .data([0, 0, 0, 0, 2, 8, 6], on: 1)],
                "'content-length' says 6 bytes, but more came"
            ),
            (
                [length("8"), .data([0, 0, 0, 0, 2, 8, 6], on: 1), end],
                "'content-length' says 8 bytes, but 7 came"
            ),
            ([length("x")], "'content-length' is not a number: 'x'"),
            (
                [.headers(.response + [WireField("connection", "close")], on: 1)],
                "HTTP/2 forbids the field 'connection', here 'close'"
            ),
            (
                [.headers(.response + [WireField("Server", "x")], on: 1)],
                "the field name 'Server' has upper-case letters"
            ),
            ([.headers([WireField(":status", "200")] + .response, on: 1)], "':status' occurs twice"),
            ([.headers(.response.without(":status"), on: 1)], "there is no ':status'"),
            (
                [.headers(.response.with(WireField(":status", "20")), on: 1)],
                "':status' is not a number of three digits: '20'"
            ),
            (
                [.headers(.response + [WireField(":path", "/")], on: 1)],
                "the pseudo-header ':path' comes after other fields"
            ),
            (
                [.headers([WireField(":path", "/")] + .response, on: 1)],
                "it has the pseudo-headers of a request"
            ),
            (
                [.headers(.response + [WireField("x", bytes: [0x61, 0])], on: 1)],
                "the value of 'x' is not valid: 'a\\0'"
            ),
            (
                [
                    .headers(.response, on: 1),
                    .headers([WireField(":status", "200")], on: 1, endStream: true),
                ],
                "the trailers have the pseudo-header ':status'"
            ),
        ] as [([WireFrame], String)])
    func broken(_ answer: [WireFrame], _ reason: String) async throws {
        #expect(
            try await status(answer)
                == GRPCStatus(code: .internalError, message: "the response broke HTTP/2: \(reason)"))
    }

    @Test("audit-P5: a window overflow is reported as our reset, not the server's")
    func credit() async throws {
        let status = try await status([.windowUpdate(0x7fff_ffff, on: 1)])
        #expect(status.code == .internalError)
        #expect(status.message.hasPrefix("the response broke HTTP/2: FLOW_CONTROL_ERROR"), "\(status)")
        let reset = try await self.status([.rstStream(3, on: 1)])
        #expect(reset.message == "the server reset the stream: FLOW_CONTROL_ERROR")
    }

    @Test("audit-P5: a status message that is too long is RESOURCE_EXHAUSTED, and its beginning is quoted")
    func longMessage() async throws {
        let long = String(repeating: "m", count: 9000)
        let (cut, size) = (String(repeating: "m", count: 256), 12 + 9000 + 32 + 11 + 1 + 32)
        let trailers = WireFrame.headers(.trailers(3, long), on: 1, endStream: true)
        let status = try await status([.headers(.response, on: 1), trailers])
        #expect(status.code == .resourceExhausted)
        #expect(
            status.message
                == "the server's headers have \(size) bytes, and the limit is 8192; they begin with "
                + "INVALID_ARGUMENT: \(cut)")
        // The number may come after the message.
        let late = Array([WireField].trailers(3, long).reversed())
        let lateStatus = try await self.status([.headers(.response + late, on: 1, endStream: true)])
        #expect(lateStatus.code == .resourceExhausted)
        #expect(lateStatus.message.contains("INVALID_ARGUMENT: mmm"))
    }

    @Test("audit-P5: too many fields, and far too many")
    func manyFields() async throws {
        func answer(_ count: Int) -> WireFrame {
            .headers(.response + Array(repeating: WireField("x", ""), count: count), on: 1)
        }
        #expect(
            try await status([answer(99)])
                == GRPCStatus(
                    code: .resourceExhausted,
                    message: "the server's headers have 101 fields, and the limit is 100"))
        let far = try await status([answer(1000)])
        #expect(far.code == .resourceExhausted)
        #expect(far.message.hasPrefix("the server's headers have more than"))
    }

    @Test("audit-P4: white space around the values of a response harms no call")
    func whiteSpace() async throws {
        let fields: [WireField] = .response.with(WireField("content-type", " application/grpc"))
        let ok = try await status([
            .headers(fields + [WireField("x", " y ")], on: 1), .data([0, 0, 0, 0, 2, 8, 6], on: 1),
            .headers([WireField("grpc-status", "0 "), WireField("t", "\t")], on: 1, endStream: true),
        ])
        #expect(ok == .ok)
        let refused = try await status([
            .headers(.response + .trailers(5, "no such thing "), on: 1, endStream: true)
        ])
        #expect(refused == GRPCStatus(code: .notFound, message: "no such thing"))
    }

    @Test("audit-P5: a TLS alert, in one piece or byte by byte, is recognised", arguments: [false, true])
    func alert(_ singly: Bool) async throws {
        var readiness: Result<Void, ConnectFailure>?
        let wire = try WireChannel(ClientConnection { readiness = $0 }, ofClient: true)
        let alert: [UInt8] = [0x15, 3, 3, 0, 2, 2, 0x46]
        for piece in singly ? alert.map({ [$0] }) : [alert] { try wire.send(bytes: piece) }
        #expect(!wire.isOpen)
        let error = #expect(throws: ConnectFailure.self) { try readiness?.get() }
        #expect(error?.description == "the server speaks TLS: use --tls")
        #expect(error?.isTemporary == false)
    }

    @Test(
        "audit-P5: a grpc-status that occurs twice, or is not a plain number, is invalid",
        arguments: [("0", "5"), ("5", "0"), ("+0", nil), (" ", nil)] as [(String, String?)])
    func doubtfulStatus(_ first: String, _ second: String?) async throws {
        let fields = ([first] + (second.map { [$0] } ?? [])).map { WireField("grpc-status", $0) }
        let status = try await status([
            .headers(.response, on: 1), .data([0, 0, 0, 0, 2, 8, 6], on: 1),
            .headers(fields, on: 1, endStream: true),
        ])
        #expect(status.code == (second == nil ? .unknown : .internalError))
    }
}
