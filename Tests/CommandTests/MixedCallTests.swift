import ScriptedPeers
import Testing

/// One server with many connections that are used in all ways. `make valgrind` runs this with the server under
/// valgrind.
@Suite(.timeLimit(.minutes(30))) struct MixedCallTests {
    /// What the client of one connection does.
    private typealias Manner = @Sendable (WireSocket) throws -> Void

    private static func call(_ path: String) -> [WireField] { .request.with(WireField(":path", path)) }

    private static let manners: [Manner] = [
        { try $0.callForSum() },
        {
            for stream in stride(from: 1, to: 20, by: 2) { try $0.callForSum(on: UInt32(stream)) }
        },
        { client in
            try client.send(
                .headers(.request, on: 1), .data(.number(1), on: 1), .rstStream(8, on: 1))
            try client.callForSum(on: 3)
        },
        { client in
            client.resetOnClose()
            try client.send(.headers(.request, on: 1), .data([0, 0, 0], on: 1))
        },
        { client in
            let numbers = Array(Array(repeating: [UInt8].number(1), count: 5000).joined())
            try expect(client, .sum(5000), body: numbers)
        },
        { try expect($0, .http("415"), .request.with(WireField("content-type", "text/plain"))) },
        { try expect($0, .status(12), call("/x/\u{e9}")) },
        { try expect($0, .status(13), body: .message([8, 5], flag: 7)) },
        { try expect($0, .status(13), body: .message([8])) },
        { try expect($0, .status(8), body: [0, 0xff, 0xff, 0xff, 0xff]) },
        { client in
            let message: [UInt8] = .message([120, 156, 227, 96, 3, 0, 0, 24, 0, 15], flag: 1)
            let deflate = WireField("grpc-encoding", "deflate")
            try expect(client, .sum(6), .request + [deflate], body: message)
        },
        { try expect($0, .reset(1), .request + [WireField("content-length", "3")]) },
        { client in
            try client.send(.headers(.request + [WireField("grpc-timeout", "0n")], on: 1))
            try check(client.receiveAnswer(), .status(4))
        },
        // SERVING is 1, in the field number of the sum.
        { try expect($0, .sum(1), call("/grpc.health.v1.Health/Check"), body: .message([])) },
        { client in
            let watch = WireFrame.data(.message([]), on: 1, endStream: true)
            try client.send(.headers(call("/grpc.health.v1.Health/Watch"), on: 1), watch)
            _ = try client.receive(.data)
        },
        { client in
            try client.send(
                .headers([], on: 1, endHeaders: false), .continuation(.request, on: 1, endHeaders: true),
                .windowUpdate(0x7fff_ffff, on: 1))
            _ = try client.receiveAnswer()
        },
        { client in
            try client.send(.ping(), .settings([4: 0]), .priority(on: 5), .goAway(lastStreamID: 0))
            _ = try client.receiveAll()
        },
        { client in
            try client.send(.data([1], on: 2))
            _ = try client.receiveAll()
        },
    ]

    private struct WrongAnswer: Error {
        var description: String
    }

    private static func expect(
        _ client: WireSocket, _ outcome: RequestCase.Outcome, _ head: [WireField] = .request,
        body: [UInt8] = .number(5)
    ) throws {
        try client.send(bytes: .request(head, body: body))
        try check(client.receiveAnswer(), outcome)
    }

    /// Throws, because an expectation on this thread is not associated with its test.
    private static func check(_ answer: WireSocket.Answer, _ outcome: RequestCase.Outcome) throws {
        guard RequestCase.Outcome(answer) == outcome else {
            throw WrongAnswer(description: "not \(outcome) but \(answer)")
        }
    }

    @Test("abuse-S3: a thousand calls, good, bad, cancelled and cut off, and a server that stops cleanly")
    func thousand() async throws {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--log-level", "error"])
        try await Tool.offload {
            Result {
                for index in 0..<1000 {
                    try Self.manners[index % Self.manners.count](server.connect())
                }
                try server.callForSum()
            }
        }.get()
        let (status, log) = await server.stop()
        #expect(status == 0, "\(log)")
    }
}
