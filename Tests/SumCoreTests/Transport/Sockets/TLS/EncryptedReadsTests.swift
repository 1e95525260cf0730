import NIOCore
import NIOEmbedded
import Testing

@testable import SumCore

@Suite struct EncryptedReadsTests {
    /// Notes what reaches TLS.
    private final class Notes: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var all: [String] = []
        var bytes: [UInt8] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let read = unwrapInboundIn(data)
            all.append("\(read.readableBytes)")
            bytes += read.readableBytesView
        }

        func channelReadComplete(context: ChannelHandlerContext) { all.append("complete") }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { all.append("\(event)") }
    }

    @Test(
        "A long read comes in pieces, each as if it were a read, between two events",
        arguments: [
            (1, ["1", "complete"]), (32_768, ["32768", "complete"]),
            (32_769, ["begins", "32768", "complete", "1", "complete", "ended"]),
            (
                100_000,
                [
                    "begins", "32768", "complete", "32768", "complete", "32768", "complete", "1696",
                    "complete",
                    "ended",
                ]
            ),
        ])
    func pieces(_ length: Int, _ expected: [String]) throws {
        let notes = Notes()
        let channel = EmbeddedChannel(handlers: [EncryptedReads(ReceiveBuffers()), notes])
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for _ in 0..<2 {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            #expect(notes.all == expected)
            #expect(notes.bytes == bytes)
            (notes.all, notes.bytes) = ([], [])
        }
    }
}
