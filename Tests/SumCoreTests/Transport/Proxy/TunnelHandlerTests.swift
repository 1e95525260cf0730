import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

/// What a channel's other handlers see of a tunnel, and when.
@Suite struct TunnelHandlerTests {
    /// Notes what reaches it.
    private final class Recorder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var events: [String] = []

        func channelActive(context: ChannelHandlerContext) { events.append("active") }
        func channelInactive(context: ChannelHandlerContext) { events.append("inactive") }
        func channelReadComplete(context: ChannelHandlerContext) { events.append("end of read") }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { events.append("error") }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            events.append(String(buffer: unwrapInboundIn(data)))
        }
    }

    private final class Asked {
        let channel = EmbeddedChannel()
        let recorder = Recorder()
        let handler: TunnelHandler
        private let reports = Reports()

        private final class Reports {
            var words: [String] = []
            var failure: ConnectFailure?
        }

        init(host: String = "sum") throws {
            let tunnel = Tunnel(proxy: try HTTPProxy("p:3128"), host: host, port: 50051)
            handler = TunnelHandler(tunnel) { [reports] progress in
                switch progress {
                case .asked: reports.words.append("asked")
                case .established: reports.words.append("established")
                case .failed(let failure):
                    reports.words.append("failed")
                    reports.failure = failure
                }
            }
            try channel.pipeline.syncOperations.addHandlers([handler, recorder])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func send(_ text: String) throws {
            try channel.writeInbound(ByteBuffer(string: text))
            channel.embeddedEventLoop.run()
        }

        /// What was reported.
        var progress: [String] { reports.words }
        var failure: ConnectFailure? { reports.failure }
    }

    @Test("The request leaves when the channel is active, and nothing else happens until it is answered")
    func asking() throws {
        let asked = try Asked()
        let request = try asked.channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) }
        #expect(request?.hasPrefix("CONNECT sum:50051 HTTP/1.1\r\n") == true)
        try asked.send("HTTP/1.1 200 OK\r\n")
        #expect(asked.recorder.events == [])
        #expect(asked.progress == ["asked"])
        #expect(asked.channel.isActive)
    }

    @Test("With the tunnel the channel becomes active, and the handler is gone")
    func established() throws {
        let asked = try Asked()
        try asked.send("HTTP/1.1 200 OK\r\n\r")
        try asked.send("\nglued")
        #expect(asked.progress == ["asked", "established"])
        #expect(throws: ChannelPipelineError.notFound) {
            _ = try asked.channel.pipeline.syncOperations.handler(type: TunnelHandler.self)
        }
        try asked.send("more")
        #expect(asked.recorder.events == ["active", "glued", "end of read", "more", "end of read"])
        #expect(!asked.handler.giveUp())
        try asked.channel.close().wait()
        #expect(asked.progress.count == 2)
    }

    @Test("A refusal closes the channel, and is told once")
    func refused() throws {
        let asked = try Asked()
        try asked.send("HTTP/1.1 403 Forbidden\r\n")
        #expect(
            asked.failure?.description == "proxy http://p:3128 answered 403 Forbidden to CONNECT sum:50051")
        #expect(!asked.channel.isActive)
        #expect(asked.recorder.events == ["inactive"])
        #expect(asked.progress == ["asked", "failed"])
        #expect(!asked.handler.giveUp())
    }

    @Test("A proxy that closes, fails or is silent")
    func noAnswer() throws {
        let closing = try Asked()
        try closing.channel.close().wait()
        #expect(
            closing.failure
                == ConnectFailure(
                    description:
                        "proxy http://p:3128 closed the connection before it answered CONNECT sum:50051",
                    isTemporary: true))

        let failing = try Asked()
        failing.channel.pipeline.fireErrorCaught(ChannelError.ioOnClosedChannel)
        #expect(failing.failure?.description.hasSuffix("sum:50051: the connection was closed") == true)
        #expect(failing.failure?.isTemporary == true)
        #expect(failing.recorder.events == ["inactive"])

        let silent = try Asked()
        #expect(silent.handler.giveUp())
        #expect(
            silent.failure?.description
                == "proxy http://p:3128 took the connection but did not answer CONNECT sum:50051")
        #expect(!silent.channel.isActive)
    }

    @Test("A name that cannot be written in HTTP is not sent")
    func badName() throws {
        let asked = try Asked(host: "a b")
        #expect(try asked.channel.readOutbound(as: ByteBuffer.self) == nil)
        #expect(asked.failure?.description.hasPrefix("a proxy can only be asked for a name in ASCII") == true)
        #expect(!asked.channel.isActive)
    }

    // MARK: In front of a connection

    /// A client's connection behind a proxy.
    private static func connection() throws -> (EmbeddedChannel, () -> String) {
        final class Box { var text = "" }
        let box = Box()
        let channel = EmbeddedChannel()
        let tunnel = Tunnel(proxy: try HTTPProxy("p:3128"), host: "sum", port: 50051)
        let proxy = TunnelHandler(tunnel) { progress in
            if case .failed(let failure) = progress { box.text += failure.description }
        }
        let connection = try ClientConnection { result in
            switch result {
            case .success: box.text += "ready"
            case .failure(let failure): box.text += failure.behind(tunnel).description
            }
        }
        try channel.pipeline.syncOperations.addHandlers([proxy, ConnectionHandler(connection)])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return (channel, { box.text })
    }

    private static func written(_ channel: EmbeddedChannel) throws -> [UInt8] {
        channel.embeddedEventLoop.run()
        var all: [UInt8] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { all += bytes.readableBytesView }
        return all
    }

    @Test("A server's SETTINGS arrive however they are split from the proxy's answer")
    func splits() throws {
        let bytes = Array("HTTP/1.1 200 OK\r\nA: b\r\n\r\n".utf8) + WireFrame.settings().bytes
        for end in bytes.indices {
            let (channel, outcome) = try Self.connection()
            let head = try Self.written(channel)
            #expect(head.suffix(4).elementsEqual("\r\n\r\n".utf8))
            #expect(!head.contains(UInt8(ascii: "*")), "the preface has overtaken the tunnel")
            try channel.writeInbound(ByteBuffer(bytes: bytes[..<end]))
            #expect(outcome() == "")
            try channel.writeInbound(ByteBuffer(bytes: bytes[end...]))
            #expect(outcome() == "ready", "split after \(end) bytes")
            #expect(try Self.written(channel).starts(with: WireFrame.preface))
            _ = try channel.finish()
        }
    }

    @Test("Behind the tunnel, a server's failures say that there is a proxy")
    func serverFailure() throws {
        let (channel, outcome) = try Self.connection()
        try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"))
        try channel.close().wait()
        #expect(
            outcome()
                == "through proxy http://p:3128: the connection was closed before the server had said anything"
        )
    }

    @Test("A connection that never began ends without a word")
    func neverBegun() throws {
        let (channel, outcome) = try Self.connection()
        _ = try Self.written(channel)
        try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 403 Forbidden\r\n\r\n"))
        #expect(outcome().hasPrefix("proxy http://p:3128 answered 403 Forbidden to CONNECT sum:50051"))
        #expect(try Self.written(channel).isEmpty)
    }
}
