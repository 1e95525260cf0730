import Logging
import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

/// What a connection's handler does with its channel: when it reads, when it writes, and how it closes.
@Suite
struct ConnectionHandlerTests {
    /// A server's connection in a channel, whose client has begun.
    private struct Piped {
        let channel = EmbeddedChannel()
        let reads = ReadCounter()
        let handler: ConnectionHandler<ServerConnection>

        init(_ change: (inout ServerLimits) -> Void = { _ in }) throws {
            handler = ConnectionHandler(
                try WireChannel.serverConnection(change),
                resources: LoopResources(eventLoop: channel.embeddedEventLoop))
            try channel.pipeline.syncOperations.addHandler(reads)
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
            try send(WireFrame.preface + WireFrame.settings().bytes + WireFrame.settingsAck.bytes)
        }

        func send(_ bytes: [UInt8]) throws {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            channel.embeddedEventLoop.run()
        }

        func advance(_ time: TimeAmount) {
            channel.embeddedEventLoop.advanceTime(by: time)
        }

        /// What was written, a buffer for each write.
        func takeWrites() throws -> [ByteBuffer] {
            var writes: [ByteBuffer] = []
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) { writes.append(bytes) }
            return writes
        }
    }

    @Test("audit-M1: nothing is read while calls have a backlog")
    func reading() throws {
        let piped = try Piped { $0.maxDecompressionExcess = 64 << 20 }
        try piped.send(
            WireFrame.headers(TurnTests.gzipRequest, on: 1).bytes
                + WireFrame.data(try TurnTests.bombs(100), on: 1).bytes)
        let before = piped.reads.count
        piped.channel.read()
        piped.channel.embeddedEventLoop.run()
        #expect(piped.reads.count == before)
        for _ in 0..<1000 { piped.advance(.microseconds(100)) }
        #expect(piped.reads.count == before + 1)
    }

    @Test("A connection that fails is closed at once, and nothing more is written")
    func failure() throws {
        let piped = try Piped()
        _ = try piped.takeWrites()
        piped.handler.run { connection in
            connection.attempt { () throws(NGHTTP2Error) in try connection.core.session.submitPing(payload: 1)
            }
            connection.core.fail(.silence)
        }
        piped.channel.embeddedEventLoop.run()
        #expect(!piped.channel.isActive)
        #expect(try piped.takeWrites().isEmpty)
    }

    @Test("abuse-L1: a drained connection gives its client a second to close first")
    func linger() throws {
        let piped = try Piped()
        piped.channel.pipeline.fireUserInboundEventTriggered(
            ConnectionAction<ServerConnection> { $0.drain("") })
        piped.channel.embeddedEventLoop.run()
        // The PING is not answered: a second for that, and another for the client.
        piped.advance(.milliseconds(1999))
        #expect(piped.channel.isActive)
        piped.advance(.milliseconds(1))
        #expect(!piped.channel.isActive)
    }

    @Test("What another thread asks for is done on the event loop, and sent together")
    func together() throws {
        let piped = try Piped()
        _ = try piped.takeWrites()
        for payload in UInt64(1)...3 {
            piped.handler.run { connection in
                connection.attempt { () throws(NGHTTP2Error) in
                    try connection.core.session.submitPing(payload: payload)
                }
            }
        }
        #expect(try piped.takeWrites().isEmpty)
        piped.channel.embeddedEventLoop.run()
        let writes = try piped.takeWrites()
        #expect(writes.count == 1)
        #expect(writes.first?.readableBytes == 3 * 17)
    }

    @Test("There is one timer, for whatever is due first, and it goes on for what is due later")
    func timer() throws {
        let piped = try Piped {
            $0.maxConnectionIdle = .seconds(60)
            $0.keepaliveTime = .seconds(20)
        }
        _ = try piped.takeWrites()
        piped.advance(.seconds(20))
        // A PING of 17 bytes.
        #expect(try piped.takeWrites().map(\.readableBytes) == [17])
        try piped.send(WireFrame.ping(Array("sum aliv".utf8), ack: true).bytes)
        piped.advance(.seconds(20))
        #expect(try piped.takeWrites().map(\.readableBytes) == [17])
    }
}

/// Counts the reads that reach the channel.
private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}
