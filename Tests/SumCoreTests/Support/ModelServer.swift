import NIOCore
import NIOEmbedded
import ScriptedPeers

@testable import SumCore

/// A server in memory, which keeps a record of what it was asked for and what it answered.
final class ModelServer {
    /// A request that has come.
    struct Attempt {
        let streamID: UInt32
        var body: [UInt8] = []
        var hasEnded = false
        /// Whether the server has begun an answer of the method's, or one that breaks HTTP/2.
        var isAnswered = false
        /// Whether any part of an answer has been sent.
        var isTouched = false
        /// Whether the head of an answer has been sent.
        var hasHead = false
        /// Whether that was one of HTTP and not of gRPC, which is no answer of the method's whatever follows.
        var isForeign = false
        /// Whether the server has said that it did not run the call.
        var isDisowned = false
        /// Whether either side has closed the stream.
        var isClosed = false

        mutating func answer() {
            isTouched = true
            if !isForeign { isAnswered = true }
        }

        /// The sum of the numbers that have come whole.
        var sum: Int32 {
            var decoder = NumberDecoder()
            _ = decoder.add(body.span.bytes)
            return Int32(truncatingIfNeeded: decoder.sum)
        }
    }

    let handler: ConnectionHandler<ClientConnection>
    let connected: ReadyConnection
    private let channel: EmbeddedChannel
    private let reader = WireReader(ofClient: true)
    private(set) var attempts: [Attempt] = []
    /// The last stream that is served, as GOAWAY says.
    private var lastServed = UInt32(Int32.max)
    /// Called with each request that comes.
    var received: () -> Void = {}

    init(on loop: EmbeddedEventLoop) throws {
        channel = EmbeddedChannel(loop: loop)
        handler = ConnectionHandler(try ClientConnection())
        connected = ReadyConnection(
            peer: Peer(address: "memory"), channel: channel,
            handler: NIOLoopBound(handler, eventLoop: loop), goingAway: channel.closeFuture)
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    var isOpen: Bool { channel.isActive }
    /// Whether all that the client has to send arrives at once.
    var isReadByServer: Bool { channel.isActive && channel.isWritable }

    /// Takes what the client has sent.
    func collect() throws {
        while channel.isWritable, let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            for frame in reader.read(bytes.readableBytesView) { note(frame) }
        }
    }

    private func note(_ frame: WireFrame) {
        if frame.kind == .headers {
            var attempt = Attempt(streamID: frame.streamID)
            // It was on its way when GOAWAY was sent.
            (attempt.isDisowned, attempt.isClosed) = (
                frame.streamID > lastServed, frame.streamID > lastServed
            )
            attempts.append(attempt)
            received()
        }
        guard let index = attempts.firstIndex(where: { $0.streamID == frame.streamID }) else { return }
        if frame.kind == .data { attempts[index].body += frame.payload }
        if frame.kind == .rstStream { attempts[index].isClosed = true }
        if frame.endsStream { attempts[index].hasEnded = true }
    }

    private func send(_ frames: [WireFrame]) throws {
        guard channel.isActive else { return }
        try channel.writeInbound(ByteBuffer(bytes: frames.flatMap(\.bytes)))
    }

    func drop() {
        channel.close(promise: nil)
    }

    // MARK: What it does

    func greet(_ random: inout SeededRandom) throws -> String {
        let window = [0, 7, 70, 1_000, 65_535, 1 << 24].randomElement(using: &random) ?? 0
        let settings: KeyValuePairs<UInt16, UInt32> =
            Int.random(in: 0..<8, using: &random) == 0 ? [4: UInt32(window), 3: 0] : [4: UInt32(window)]
        try send([.settings(settings), .settingsAck, .windowUpdate(1 << 24)])
        return "hello, window \(window)"
    }

    /// Does something to a stream, or to the connection.
    func act(_ random: inout SeededRandom) throws -> String {
        guard let index = attempts.indices.filter({ !attempts[$0].isClosed }).randomElement(using: &random)
        else {
            return try actOnConnection(&random)
        }
        let streamID = attempts[index].streamID
        switch Int.random(in: 0..<16, using: &random) {
        case 0, 1:
            try send([.windowUpdate(UInt32.random(in: 1...20_000, using: &random), on: streamID)])
            return "credit"
        case 2:
            let code = UInt32.random(in: 0...14, using: &random)
            return try reset(index, code)
        case 3:
            return try reset(index, 7)
        case 4:
            let status = [0, 8, 13, 14, 14].randomElement(using: &random) ?? 0
            let now = [WireField("grpc-retry-pushback-ms", "0")]
            attempts[index].isClosed = true
            // After a head these are trailers.
            let head: [WireField] = attempts[index].hasHead ? [] : .response
            try send([.headers(head + .trailers(status) + now, on: streamID, endStream: true)])
            return "status \(status)"
        case 5:
            guard !attempts[index].hasHead else { return "-" }
            attempts[index].hasHead = true
            attempts[index].answer()
            try send([.headers(.response, on: streamID)])
            return "head"
        case 6, 7:
            return try answer(index)
        case 8:
            attempts[index].isTouched = true
            try send([.headers([WireField(":status", "103")], on: streamID)])
            return "103"
        case 9, 10:
            return try breakAnswer(index, &random)
        case 11:
            guard !attempts[index].hasHead else { return "-" }
            (attempts[index].isTouched, attempts[index].hasHead, attempts[index].isForeign) = (
                true, true, true
            )
            try send([.headers([WireField(":status", "503")], on: streamID), .data([1, 2, 3], on: streamID)])
            return "503"
        default:
            return try actOnConnection(&random)
        }
    }

    private func reset(_ index: Int, _ code: UInt32) throws -> String {
        if code == 7, !attempts[index].isTouched { attempts[index].isDisowned = true }
        attempts[index].isClosed = true
        try send([.rstStream(code, on: attempts[index].streamID)])
        return "reset \(code)"
    }

    /// OK with the sum of what has come, be it all or a part.
    private func answer(_ index: Int) throws -> String {
        let streamID = attempts[index].streamID
        var message = ByteBuffer()
        message.writeNumber(attempts[index].sum)
        let head: [WireFrame] = attempts[index].hasHead ? [] : [.headers(.response, on: streamID)]
        attempts[index].answer()
        attempts[index].isClosed = true
        try send(
            head + [
                .data(Array(message.readableBytesView), on: streamID),
                .headers(.trailers(0), on: streamID, endStream: true),
            ])
        return "OK \(attempts[index].sum)"
    }

    /// An answer that HTTP/2 forbids, with something behind it or not.
    private func breakAnswer(_ index: Int, _ random: inout SeededRandom) throws -> String {
        let streamID = attempts[index].streamID
        let long = WireField("x", String(repeating: "y", count: 9_000))
        let answers: [[WireFrame]] = [
            [WireFrame(.headers, flags: .endHeaders, on: streamID, payload: [0xfe])],
            [WireFrame(.headers, flags: .endHeaders, on: streamID, payload: [0x3f, 0xe1, 0xff, 0x03, 0x88])],
            [.headers(.response + [long], on: streamID)],
            [.headers(.response + [WireField("Upper", "x")], on: streamID)],
            [
                .headers(.response.with(WireField("content-length", "1")), on: streamID),
                .data([1, 2], on: streamID),
            ],
            [.data([1], on: streamID)],
            [.headers([WireField("x", "y")], on: streamID)],
        ]
        let behind: [[WireFrame]] = [
            [], [], [.data([1], on: 0)], [WireFrame(.settings, payload: [0])], [.rstStream(7, on: streamID)],
            [.goAway(lastStreamID: 0)], [.rstStream(7, on: streamID), .data([1], on: 0)],
        ]
        attempts[index].answer()
        let frames =
            (answers.randomElement(using: &random) ?? []) + (behind.randomElement(using: &random) ?? [])
        try send(frames)
        return "broken \(frames.map(\.kind.rawValue))"
    }

    private func actOnConnection(_ random: inout SeededRandom) throws -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            let window = [0, 70, 65_535].randomElement(using: &random) ?? 0
            try send([.settings([4: UInt32(window)])])
            return "window \(window)"
        case 1:
            try send([.settings([3: UInt32.random(in: 0...2, using: &random)])])
            return "streams"
        case 2, 3:
            let last = min(
                lastServed,
                ([0, UInt32(Int32.max)] + attempts.map(\.streamID)).randomElement(using: &random) ?? 0)
            lastServed = last
            for index in attempts.indices
            where attempts[index].streamID > last && !attempts[index].isTouched && !attempts[index].isClosed {
                attempts[index].isDisowned = true
                attempts[index].isClosed = true
            }
            try send([.goAway(lastStreamID: last, code: UInt32.random(in: 0...2, using: &random))])
            return "GOAWAY \(last)"
        case 4:
            drop()
            return "drop"
        case 5:
            channel.isWritable.toggle()
            channel.pipeline.fireChannelWritabilityChanged()
            return channel.isWritable ? "reads" : "does not read"
        case 6:
            try send([.ping()])
            return "ping"
        default:
            try send([.settings([4: 1 << 20, 3: 100])])
            return "wide"
        }
    }

    /// What a good server does: it reads, gives credit, and answers what has come whole.
    func serve() throws {
        if !channel.isWritable {
            channel.isWritable = true
            channel.pipeline.fireChannelWritabilityChanged()
        }
        try collect()
        try send([.settings([4: 1 << 20, 3: 100])])
        for index in attempts.indices where !attempts[index].isClosed {
            let streamID = attempts[index].streamID
            if attempts[index].hasEnded {
                _ = try answer(index)
            } else {
                try send([.windowUpdate(100_000, on: streamID)])
            }
        }
        // What it made a mess of before, a good server resets.
        for attempt in attempts where attempt.isClosed { try send([.rstStream(2, on: attempt.streamID)]) }
    }
}
