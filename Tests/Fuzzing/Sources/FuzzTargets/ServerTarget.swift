import Logging
import NIOCore

@testable import SumCore

extension FuzzTarget {
    /// abuse-F3: a server's connection accepts any bytes, in any pieces, at any time. Handlers are called according
    /// to their contract, the output is valid HTTP/2, and in the end everything is freed.
    public static let server = FuzzTarget("server", seeds: ServerScripts.seeds) { bytes in
        let ledger = Ledger()
        let remains = try serve(bytes, ledger)
        try ledger.settle()
        try require(remains.connection == nil && remains.session == nil, "the connection lives on")
    }

    private static func serve(_ bytes: [UInt8], _ ledger: Ledger) throws -> Remains {
        var script = ConnectionScript(bytes, lists: ServerScripts.lists)
        let logger = Logger(label: "fuzz") { _ in SilentLog() }
        let connection = try ServerConnection(
            methods: ServerScripts.methods(ledger, variant: script.variant),
            limits: ServerScripts.configuration(script.variant),
            observers: [ServerLog(logger: logger)])
        let remains = Remains(connection)
        var channel = try FuzzChannel(
            connection, isClient: false, checksOutput: script.mode.contains(.hello))
        if script.mode.contains(.hello) {
            let hello = WireFrame.preface + WireFrame.settings().bytes + WireFrame.settingsAck.bytes
            channel.receive(hello)
        }
        let pipeline = channel.pipeline
        try channel.run(&script) { action, _ in
            switch action % 3 {
            case 0:
                pipeline.fireUserInboundEventTriggered(ConnectionAction<ServerConnection> { $0.drain("") })
            case 1: pipeline.fireErrorCaught(Finding(description: "the socket failed"))
            default: pipeline.close(promise: nil)
            }
        }
        try channel.finish()
        return remains
    }
}

/// What must be freed in the end.
struct Remains {
    private(set) weak var connection: (any Connection)?
    private(set) weak var session: HTTP2Session?

    init(_ connection: any Connection) {
        self.connection = connection
        session = connection.core.session
    }
}

/// Accepts every line, so that it is formatted, and discards it.
private struct SilentLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {}
}

enum ServerScripts {
    static func configuration(_ variant: UInt8) -> GRPCServer.Configuration {
        var configuration = GRPCServer.Configuration()
        if variant & 1 != 0 { configuration.maxMessageSize = 100 }
        if variant & 2 != 0 {
            configuration.maxConnectionIdle = .seconds(5)
            configuration.maxConnectionAge = .seconds(30)
            configuration.maxConnectionAgeGrace = .seconds(5)
        }
        if variant & 4 != 0 { configuration.maxConcurrentStreams = 2 }
        if variant & 8 != 0 { configuration.keepaliveTime = .seconds(20) }
        if variant & 16 != 0 { configuration.maxHeaderListSize = 300 }
        if variant & 32 != 0 { configuration.minPingInterval = .zero }
        if variant & 128 != 0 {
            configuration.maxOverheadFrames = 20
            configuration.writeTimeout = .seconds(3)
            configuration.handshakeTimeout = .seconds(2)
        }
        return configuration
    }

    static func methods(_ ledger: Ledger, variant: UInt8) -> [String: GRPCMethod] {
        let sum = SumNumbers.method(overflow: variant & 64 == 0 ? .error : .wrap)
        var methods = [
            sum.path: GRPCMethod(path: sum.path) { context throws(GRPCStatus) in
                WatchedHandler(try sum.makeHandler(context), ledger)
            }
        ]
        for (path, manner) in [("/f/Echo", Talker.Manner.echo), ("/f/Late", .late), ("/f/Early", .early)] {
            methods[path] = GRPCMethod(path: path) { WatchedHandler(Talker(manner, $0), ledger) }
        }
        return methods
    }

    /// Heads of calls.
    static let lists: [[WireField]] = [
        .request, .request.with(WireField("grpc-timeout", "1S")),
        .request.with(WireField(":path", "/f/Echo")), .request.with(WireField(":path", "/f/Late")),
        .request.with(WireField(":path", "/f/Early")),
        .request.with(WireField("grpc-encoding", "gzip"), WireField("grpc-accept-encoding", "gzip,deflate")),
        .request.with(
            WireField("content-length", "7"), WireField("x-bin", "QUI"), WireField("user-agent", "u")),
        [WireField("grpc-trailer", "1")],
    ]

    static var seeds: [[UInt8]] {
        typealias Script = ConnectionScript
        let call = Script.headers(0, on: 1) + Script.numbers(3, on: 1)
        let open = Script.headers(0, on: 1) + Script.numbers(3, on: 1, 0)
        var seeds: [[UInt8]] = [
            Script.begin() + call, Script.begin(pieces: 1) + call, Script.begin(pieces: 0x33) + call,
            Script.begin() + Script.headers(0, on: 1, split: true) + Script.numbers(200, on: 1, 7),
            Script.begin() + Script.headers(1, on: 1) + Script.wait(4) + Script.wait(4),
            Script.begin() + open + Script.act(0) + Script.wait(3) + Script.numbers(1, on: 1)
                + Script.wait(4),
            Script.begin(variant: 2) + call + Script.wait(5) + Script.wait(5),
            Script.begin(variant: 8) + open + Script.wait(6) + Script.wait(6),
            Script.begin() + open + Script.act(1), Script.begin() + open + Script.act(2),
            Script.begin() + Script.headers(7, on: 1, endStream: true),
            Script.begin() + open + Script.headers(7, on: 1, endStream: true),
            Script.begin() + Script.headers(0, on: 1) + Script.frame(.rstStream(8, on: 1))
                + Script.again(250),
            Script.begin() + Script.headers(0, on: 1, changing: 0, to: "GET"),
            Script.begin() + Script.headers(0, on: 1, changing: 2, to: "/x"),
            Script.begin() + Script.headers(0, on: 1, changing: 5, to: "text/plain"),
            Script.begin() + Script.headers(1, on: 1, changing: 6, to: "0n"),
            Script.begin() + Script.headers(6, on: 1) + Script.numbers(1, on: 1),
            Script.begin() + Script.headers(6, on: 1) + Script.numbers(2, on: 1),
            Script.begin() + Script.headers(5, on: 1) + Script.numbers(2, on: 1, 9),
            Script.begin() + Script.toggleWritability + Script.headers(2, on: 1)
                + Script.numbers(200, on: 1, 4) + Script.toggleWritability + Script.numbers(1, on: 1),
            Script.begin([]) + Script.wait(6), Script.begin(.raw) + "GET / HTTP/1.1\r\n\r\n".utf8,
            Script.begin(.raw) + [0x16, 3, 1, 2, 0], Script.begin(.raw) + WireFrame.preface.prefix(20),
        ]
        for list in 2...4 as ClosedRange<UInt8> {
            seeds.append(
                Script.begin() + Script.headers(list, on: 1) + Script.numbers(3, on: 1, 0)
                    + Script.numbers(255, on: 1, 4) + Script.numbers(3, on: 1) + Script.wait(4))
        }
        seeds += ConnectionScript.mischief.flatMap {
            [Script.begin() + open + $0, Script.begin() + $0 + call]
        }
        return seeds + [Script.begin(.raw) + RecordedCall.shared.fromClient]
    }
}

/// Forwards a call to its handler, and records violations of the handler's contract.
private final class WatchedHandler: ServerCallHandler {
    private let handler: any ServerCallHandler
    private let ledger: Ledger
    private var hasEnd = false
    private var isOver = false

    init(_ handler: any ServerCallHandler, _ ledger: Ledger) {
        self.handler = handler
        self.ledger = ledger
        ledger.live += 1
    }

    var outlivesStream: Bool { handler.outlivesStream }

    deinit {
        ledger.live -= 1
    }

    func receive(_ bytes: ByteBuffer) -> ServerReply {
        ledger.check(!isOver && !hasEnd, "a handler got bytes after the end")
        return pass(handler.receive(bytes))
    }

    func receiveEnd() -> ServerReply {
        ledger.check(!isOver && !hasEnd, "a handler got the end after the end")
        hasEnd = true
        return pass(handler.receiveEnd())
    }

    func cancel(_ reason: GRPCStatus) {
        ledger.check(!isOver, "a handler was cancelled after the end")
        isOver = true
        handler.cancel(reason)
    }

    func sent(_ byteCount: Int) {
        handler.sent(byteCount)
    }

    private func pass(_ reply: ServerReply) -> ServerReply {
        if reply.end != nil { isOver = true }
        return reply
    }
}

/// A handler with responses of other shapes than a sum.
private final class Talker: ServerCallHandler {
    enum Manner {
        /// Sends back what arrives, as one message.
        case echo
        /// Replies to everything later.
        case late
        /// Ends the call at once, with everything a reply can have.
        case early
    }

    private let manner: Manner
    private let context: ServerCallContext

    var outlivesStream: Bool { false }

    init(_ manner: Manner, _ context: ServerCallContext) {
        self.manner = manner
        self.context = context
    }

    func receive(_ bytes: ByteBuffer) -> ServerReply {
        var reply = ServerReply(consumed: bytes.readableBytes)
        switch manner {
        case .echo:
            reply.messages.writeMessage(bytes.readableBytesView)
        case .late:
            reply.messages.writeMessage([1])
            context.reply(reply)
            return ServerReply()
        case .early:
            reply.end = GRPCStatus(code: .aborted, message: "100 % ä\r\n", details: [8, 1])
            try? reply.metadata.add("a", "b")
            try? reply.trailers.add("c-bin", bytes: [1, 2])
        }
        return reply
    }

    func receiveEnd() -> ServerReply {
        guard manner == .late else { return ServerReply(end: .ok) }
        context.reply(ServerReply(end: .ok))
        return ServerReply()
    }

    func cancel(_ reason: GRPCStatus) {}
}
