import NIOCore
import NIOEmbedded

@testable import SumCore

extension FuzzTarget {
    /// abuse-F4: a client's connection with calls accepts any bytes, in any pieces, at any time. Every call ends
    /// exactly once, the output is valid HTTP/2, and in the end everything is freed.
    public static let client = FuzzTarget("client", seeds: ClientScripts.seeds) { bytes in
        let ledger = Ledger()
        let remains = try call(bytes, ledger)
        try ledger.settle()
        try require(remains.connection == nil && remains.session == nil, "the connection lives on")
    }

    private static func call(_ bytes: [UInt8], _ ledger: Ledger) throws -> Remains {
        var script = ConnectionScript(bytes, lists: ClientScripts.lists)
        let loop = EmbeddedEventLoop()
        ledger.live += 1
        let keepalive =
            script.variant & 1 == 0
            ? nil
            : Keepalive(
                time: .seconds(10), timeout: .seconds(20), withoutCalls: script.variant & 2 != 0,
                now: loop.now)
        let connection = try ClientConnection(keepalive: keepalive) { _ in ledger.live -= 1 }
        let remains = Remains(connection)
        var channel = try FuzzChannel(connection, on: loop, isClient: true, checksOutput: true)
        var caller = Caller(channel.handler, ledger)
        if script.mode.contains(.hello) {
            let hello = WireFrame.settings().bytes + WireFrame.settingsAck.bytes
            channel.receive(hello)
            caller.act(0, 3)
        }
        try channel.run(&script) { caller.act($0, $1) }
        try channel.finish()
        return remains
    }
}

/// Makes calls, and uses them like tasks would.
private struct Caller {
    private let handler: ConnectionHandler<ClientConnection>
    private let ledger: Ledger
    private var calls: [(stream: ClientStream, exchange: AsyncClientCall)] = []

    init(_ handler: ConnectionHandler<ClientConnection>, _ ledger: Ledger) {
        self.handler = handler
        self.ledger = ledger
    }

    mutating func act(_ action: UInt8, _ argument: UInt8) {
        if action % 8 < 3 { return start(action % 8, argument) }
        guard !calls.isEmpty else { return }
        let call = calls[Int(argument) % calls.count]
        switch action % 8 {
        case 3:
            send(Int(argument) * 100, call.exchange)
            handler.run { $0.resume(call.stream) }
        case 4:
            if call.exchange.pipe.finish() { handler.run { $0.resume(call.stream) } }
        case 5:
            handler.run { $0.cancel(call.stream, GRPCStatus(code: .cancelled)) }
        case 6:
            handler.run { $0.credit(call.stream, Int(argument)) }
        default:
            handler.run { $0.shutDown(within: .milliseconds(500)) }
        }
    }

    /// - Parameter kind: a complete call, one that stays open, or one with a deadline.
    private mutating func start(_ kind: UInt8, _ argument: UInt8) {
        let exchange = AsyncClientCall(maxMessageSize: argument & 0x80 == 0 ? 4 << 20 : 10)
        send(Int(argument & 0x7f), exchange)
        if kind == 0 { _ = exchange.pipe.finish() }
        var request = GRPCRequestHead(path: SumNumbers.path, authority: "localhost", userAgent: "fuzz")
        if kind == 2 { request.timeout = .milliseconds(Int64(argument) * 20) }
        let watched = WatchedCall(exchange, ledger)
        let stream = handler.run { $0.start(request, handler: watched) }
        if let stream { calls.append((stream, exchange)) }
    }

    private func send(_ count: Int, _ exchange: AsyncClientCall) {
        let numbers = Array(repeating: Int32(300), count: count)
        _ = try? exchange.pipe.write(maxLength: count * NumberEncoder.maxLength) { frame in
            _ = NumberEncoder.append(numbers.span, to: &frame)
        }
    }
}

/// Forwards a call to its handler, and records violations of the handler's contract.
private final class WatchedCall: ClientCallHandler, HTTP2Body, @unchecked Sendable {
    private let exchange: AsyncClientCall
    private let ledger: Ledger
    private var hasHeaders = false
    private var hasEnded = false

    init(_ exchange: AsyncClientCall, _ ledger: Ledger) {
        self.exchange = exchange
        self.ledger = ledger
        ledger.live += 1
    }

    deinit {
        ledger.check(hasEnded, "a call did not end")
        ledger.live -= 1
    }

    var requestBody: any HTTP2Body { self }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        ledger.check(!hasEnded, "a call was asked for more after its end")
        return exchange.pipe.fill(&frame)
    }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {
        ledger.check(!hasEnded && !hasHeaders, "an answer began twice, or after the end")
        hasHeaders = true
        exchange.receiveHeaders(metadata, compression: compression)
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        ledger.check(!hasEnded && hasHeaders, "bytes came before an answer began, or after its end")
        return try exchange.receive(bytes)
    }

    func end(_ end: ClientCallEnd) {
        ledger.check(!hasEnded, "a call ended twice")
        hasEnded = true
        exchange.end(end)
    }
}

enum ClientScripts {
    /// Headers and trailers of responses.
    static let lists: [[WireField]] = [
        .response, .trailers(0), .response + .trailers(8, "a%20b"),
        .response.with(WireField("grpc-encoding", "gzip"), WireField("x-bin", "QUI")),
        [WireField(":status", "103")], [WireField(":status", "503"), WireField("content-type", "text/html")],
        .trailers(14) + [
            WireField("grpc-retry-pushback-ms", "5"), WireField("grpc-status-details-bin", "CAI"),
        ],
    ]

    static var seeds: [[UInt8]] {
        typealias Script = ConnectionScript
        let answer = Script.headers(0, on: 1) + Script.numbers(1, on: 1, 0)
        let end = Script.headers(1, on: 1, endStream: true)
        var seeds: [[UInt8]] = [
            Script.begin() + answer + end, Script.begin(pieces: 1) + answer + end,
            Script.begin(pieces: 0x2b) + answer + end, Script.begin() + end, Script.begin() + answer,
            Script.begin() + Script.headers(2, on: 1, endStream: true),
            Script.begin() + Script.headers(3, on: 1) + Script.numbers(1, on: 1, 0) + end,
            Script.begin() + Script.headers(4, on: 1) + answer + end,
            Script.begin() + Script.headers(5, on: 1) + Script.numbers(20, on: 1),
            Script.begin() + answer + Script.headers(6, on: 1, endStream: true),
            Script.begin() + Script.headers(0, on: 1, split: true) + Script.numbers(2, on: 1, 0x19),
            Script.begin() + Script.headers(0, on: 1, changing: 0, to: "404"),
            Script.begin() + Script.headers(1, on: 1, endStream: true, changing: 0, to: "-1"),
            Script.begin() + Script.numbers(1, on: 1),
            Script.begin() + answer + Script.numbers(255, on: 1, 7),
            Script.begin([]) + Script.act(0, 3) + Script.wait(5), Script.begin() + Script.wait(7),
            Script.begin(variant: 3) + Script.wait(5) + Script.wait(6) + Script.wait(6),
            Script.begin(.raw) + "HTTP/1.1 400 Bad Request\r\n\r\n".utf8,
            Script.begin(.raw) + "SSH-2.0-x\r\n".utf8,
            Script.begin() + Script.act(1, 100) + Script.act(3, 255) + Script.act(4, 1)
                + Script.frame(.windowUpdate(100_000)) + Script.headers(0, on: 3),
            Script.begin() + Script.act(2, 50) + Script.wait(3) + answer + end,
            Script.begin() + answer + Script.act(5, 0),
            Script.begin() + answer + Script.act(7) + Script.wait(2),
            Script.begin() + Script.act(1, 1) + Script.act(6, 200) + Script.act(5, 1) + answer + end,
            Script.begin() + Script.toggleWritability + Script.act(1, 9) + Script.act(5, 1)
                + Script.toggleWritability,
        ]
        for mischief in ConnectionScript.mischief {
            seeds += [Script.begin() + mischief + answer + end, Script.begin() + answer + mischief + end]
        }
        return seeds + [Script.begin([.raw, .hello]) + RecordedCall.shared.fromServer]
    }
}
