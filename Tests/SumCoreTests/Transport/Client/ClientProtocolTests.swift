import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

/// Our client against servers that send exact frames.
@Suite(.timeLimit(.minutes(10))) struct ClientProtocolTests {
    /// Calls SumNumbers with these numbers; the script responds.
    private func sum(
        _ numbers: [Int32] = [1], options: GRPCCallOptions = .init(),
        _ script: @escaping @Sendable (WireSocket) throws -> Void
    ) async throws -> Int32 {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            try script(peer)
            _ = try peer.receiveAll()
        }
        let client = try await GRPCClient.connect(to: Target(server.address), timeout: .seconds(60))
        let result: Result<Int32, any Error>
        do {
            let call = client.sumNumbers(options)
            try await call.send(contentsOf: numbers)
            result = .success(try await call.closeAndReceive())
        } catch {
            result = .failure(error)
        }
        await client.close()
        try await server.end()
        return try result.get()
    }

    private func status(_ script: @escaping @Sendable (WireSocket) throws -> Void) async throws -> GRPCStatus
    {
        try #require(await #expect(throws: GRPCStatus.self) { try await sum([1], script) })
    }

    /// Waits for the end of the request; a response before it would not count.
    private static func receiveRequest(_ peer: WireSocket) throws {
        while let frame = try peer.receive(), !frame.endsStream {}
    }

    private static let seven: [UInt8] = [0, 0, 0, 0, 2, 8, 7]

    @Test(
        "grpc-R1, grpc-R2, grpc-R3, grpc-R7: the request, frame by frame; without numbers an empty DATA frame ends it"
    )
    func request() async throws {
        for numbers in [[], [5]] as [[Int32]] {
            let sum = try await sum(numbers, options: .init(timeout: .seconds(60))) { peer in
                let headers = try #require(try peer.receive(.headers))
                #expect(headers.endsStream == false)
                #expect(
                    headers.fields.map { String(decoding: $0.name, as: UTF8.self) } == [
                        ":method", ":scheme", ":path", ":authority", "grpc-timeout", "te", "content-type",
                        "user-agent", "grpc-accept-encoding",
                    ])
                #expect(headers[":path"] == "/tutorial.NumberService/SumNumbers")
                #expect(headers["te"] == "trailers")
                #expect(headers["content-type"] == "application/grpc")
                var body: [UInt8] = []
                var last: WireFrame?
                while last?.endsStream != true, let data = try peer.receive(.data) {
                    body += data.payload
                    last = data
                }
                #expect(body == (numbers.isEmpty ? [] : [0, 0, 0, 0, 2, 8, 5]))
                #expect(last?.endsStream == true)
                try peer.send(
                    .headers(.response, on: 1), .data(Self.seven, on: 1),
                    .headers(.trailers(0), on: 1, endStream: true))
            }
            #expect(sum == 7)
        }
    }

    @Test(
        "grpc-A18: padding, one-byte DATA frames, an empty one, CONTINUATION, and unknown frames in between")
    func awkwardFrames() async throws {
        let sum = try await sum { peer in
            try Self.receiveRequest(peer)
            try peer.send(
                .headers(Array([WireField].response.dropLast()), on: 1, endHeaders: false),
                .continuation(Array([WireField].response.suffix(1)), on: 1, endHeaders: true),
                WireFrame(.init(rawValue: 0x77), on: 1, payload: [1, 2, 3]), .data([], on: 1))
            for byte in Self.seven { try peer.send(.data([byte], on: 1, padding: 255)) }
            try peer.send(
                .headers(.trailers(0), on: 1, endStream: true, endHeaders: false),
                .continuation([WireField("x", "y")], on: 1, endHeaders: true))
        }
        #expect(sum == 7)
    }

    @Test("grpc-A4, grpc-A5, grpc-A6: RST_STREAM(NO_ERROR) after the trailers is ignored")
    func resetAfterTrailers() async throws {
        let sum = try await sum { peer in
            try Self.receiveRequest(peer)
            try peer.send(
                .headers(.response, on: 1), .data(Self.seven, on: 1),
                .headers(.trailers(0), on: 1, endStream: true), .rstStream(0, on: 1))
        }
        #expect(sum == 7)
    }

    @Test(
        "grpc-A5: a status while we are sending is reported at once, although the window is closed, and the stream is reset"
    )
    func earlyStatus() async throws {
        let server = try ScriptedServer { peer in
            // No window at all (SETTINGS_INITIAL_WINDOW_SIZE 0), so that the numbers cannot leave.
            try peer.send(.settings([4: 0]), .settingsAck)
            _ = try peer.receive(.headers)
            try peer.send(.headers(.response + .trailers(7, "no"), on: 1, endStream: true))
            let reset = try #require(try peer.receive(.rstStream))
            #expect(reset.errorCode == 0)
            _ = try peer.receiveAll()
        }
        let client = try await GRPCClient.connect(to: Target(server.address), timeout: .seconds(60))
        let call = client.sumNumbers()
        await #expect(throws: GRPCStatus(code: .permissionDenied, message: "no")) {
            while true { try await call.send(contentsOf: Array(repeating: 1, count: 10_000)) }
        }
        await client.close()
        try await server.end()
    }

    @Test(
        "grpc-A6, grpc-A7: a reset without trailers, by its code",
        arguments: [
            (0, GRPCStatus.Code.internalError), (1, .internalError), (2, .internalError), (3, .internalError),
            (4, .internalError), (6, .internalError), (8, .cancelled), (9, .internalError),
            (10, .internalError),
            (11, .resourceExhausted), (12, .permissionDenied),
        ])
    func reset(_ code: Int, _ expected: GRPCStatus.Code) async throws {
        let status = try await status { peer in
            _ = try peer.receive(.headers)
            try peer.send(
                .headers(.response, on: 1), .data(Self.seven, on: 1), .rstStream(UInt32(code), on: 1))
        }
        #expect(status.code == expected)
    }

    @Test(
        "grpc-A9, grpc-A10: a response that is not gRPC",
        arguments: [
            ("400", GRPCStatus.Code.internalError), ("401", .unauthenticated), ("403", .permissionDenied),
            ("404", .unimplemented), ("429", .unavailable), ("502", .unavailable), ("503", .unavailable),
            ("504", .unavailable), ("200", .unknown), ("415", .unknown), ("431", .unknown), ("505", .unknown),
        ])
    func foreign(_ httpStatus: String, _ expected: GRPCStatus.Code) async throws {
        let status = try await status { peer in
            _ = try peer.receive(.headers)
            let head = [WireField(":status", httpStatus), WireField("content-type", "text/html")]
            try peer.send(
                .headers(head, on: 1),
                .data(Array("<h1>\u{1b}no</h1>".utf8), on: 1, endStream: true))
        }
        #expect(status.code == expected)
        #expect(status.message.contains("HTTP status \(httpStatus), content-type 'text/html'"))
        #expect(status.message.contains("<h1>\\u{1B}no</h1>"))
    }

    @Test(
        "grpc-A12: a grpc-status that is missing, or unknown",
        arguments: [
            ("abc", GRPCStatus.Code.unknown), ("-1", .unknown), ("99999999999", .unknown), ("", .unknown),
            ("17", .init(rawValue: 17)), (nil, .unknown),
        ] as [(String?, GRPCStatus.Code)])
    func strangeStatus(_ text: String?, _ expected: GRPCStatus.Code) async throws {
        let status = try await status { peer in
            _ = try peer.receive(.headers)
            let fields = text.map { [WireField("grpc-status", $0)] } ?? [WireField("x", "y")]
            try peer.send(
                .headers(.response, on: 1), .data(Self.seven, on: 1), .headers(fields, on: 1, endStream: true)
            )
        }
        #expect(status.code == expected)
    }

    @Test("grpc-A16: a wrongly percent-encoded message is still shown")
    func strangeMessage() async throws {
        let status = try await status { peer in
            _ = try peer.receive(.headers)
            try peer.send(.headers(.response + .trailers(9, "100% %zz %C3%BC %FF"), on: 1, endStream: true))
        }
        #expect(status == GRPCStatus(code: .failedPrecondition, message: "100% %zz \u{fc} \u{fffd}"))
    }

    @Test(
        "grpc-A15: a response compressed with an algorithm that was not offered, or not named",
        arguments: ["br", nil])
    func strangeCompression(_ name: String?) async throws {
        let status = try await status { peer in
            _ = try peer.receive(.headers)
            let head: [WireField] = .response + (name.map { [WireField("grpc-encoding", $0)] } ?? [])
            try peer.send(
                .headers(head, on: 1), .data([1, 0, 0, 0, 1, 8], on: 1),
                .headers(.trailers(0), on: 1, endStream: true))
        }
        #expect(status.code == .internalError)
    }

    @Test("grpc-S9, abuse-K14: a prefix of 4 GiB is refused at once")
    func hugeMessage() async throws {
        let status = try await status { peer in
            _ = try peer.receive(.headers)
            try peer.send(.headers(.response, on: 1), .data([0, 255, 255, 255, 255], on: 1))
            #expect(try peer.receive(.rstStream)?.errorCode == 8)
        }
        #expect(status.code == .resourceExhausted)
    }

    @Test(
        "grpc-R9: the server's limits on streams, frame size and windows are obeyed"
    )
    func settings() async throws {
        let server = try ScriptedServer { peer in
            // HEADER_TABLE_SIZE 0, MAX_CONCURRENT_STREAMS 1, INITIAL_WINDOW_SIZE 10, MAX_HEADER_LIST_SIZE 1000.
            try peer.send(.settings([1: 0, 3: 1, 4: 10, 6: 1000]), .settingsAck)
            for streamID in [1, 3] as [UInt32] {
                let headers = try #require(try peer.receive(.headers))
                #expect(headers.streamID == streamID)
                #expect(headers["user-agent"] != nil)
                var (received, credit, hasEnded) = (0, 10, false)
                while !hasEnded, let data = try peer.receive(.data) {
                    #expect(data.streamID == streamID)
                    #expect(data.payload.count <= 16_384)
                    received += data.payload.count
                    hasEnded = data.endsStream
                    #expect(received <= credit)
                    if received == credit {
                        credit += 20_000
                        try peer.send(.windowUpdate(20_000, on: streamID), .windowUpdate(20_000))
                    }
                }
                #expect(received == 70_000)
                try peer.send(
                    .headers(.response, on: streamID), .data(Self.seven, on: streamID),
                    .headers(.trailers(0), on: streamID, endStream: true))
            }
            _ = try peer.receiveAll()
        }
        let client = try await GRPCClient.connect(to: Target(server.address), timeout: .seconds(60))
        let calls = [client.sumNumbers(), client.sumNumbers()]
        for call in calls { try await call.send(contentsOf: Array(repeating: 1, count: 10_000)) }
        for call in calls { #expect(try await call.closeAndReceive() == 7) }
        var tooLong = GRPCCallOptions()
        try tooLong.metadata.add("k", String(repeating: "v", count: 1000))
        let error = await #expect(throws: GRPCStatus.self) {
            try await client.sumNumbers(tooLong).closeAndReceive()
        }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message.hasSuffix("bytes, and the server takes 1000") == true)
        await client.close()
        try await server.end()
    }

    @Test("grpc-A19: a PING is acknowledged with its payload during a call")
    func ping() async throws {
        let sum = try await sum { peer in
            _ = try peer.receive(.headers)
            try peer.send(.ping([1, 2, 3, 4, 5, 6, 7, 8]))
            var frames: [WireFrame] = []
            while !frames.contains(where: \.endsStream) || !frames.contains(where: { $0.kind == .ping }) {
                frames.append(try #require(try peer.receive()))
            }
            #expect(frames.first { $0.kind == .ping } == .ping([1, 2, 3, 4, 5, 6, 7, 8], ack: true))
            try peer.send(
                .headers(.response, on: 1), .data(Self.seven, on: 1),
                .headers(.trailers(0), on: 1, endStream: true))
        }
        #expect(sum == 7)
    }
}
