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

    private func record(_ length: Int) -> [UInt8] { TLSRecordsTests.record(length) }

    @Test(
        "A read of several long records comes in pieces, each as if it were a read, between two events",
        arguments: [
            ([1], ["6", "complete"]), ([16_401], ["16406", "complete"]),
            ([16_401, 22], ["begins", "16406", "complete", "27", "complete", "ended"]),
            (
                [100, 16_000, 16_401, 300],
                ["begins", "16110", "complete", "16406", "complete", "305", "complete", "ended"]
            ),
        ])
    func pieces(_ lengths: [Int], _ expected: [String]) throws {
        let notes = Notes()
        let channel = EmbeddedChannel(handlers: [EncryptedReads(ReceiveBuffers()), notes])
        let bytes = lengths.flatMap(record)
        for _ in 0..<2 {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            #expect(notes.all == expected)
            #expect(notes.bytes == bytes)
            (notes.all, notes.bytes) = ([], [])
        }
    }

    @Test("After many bytes, a piece has seven long records")
    func manyBytes() throws {
        let notes = Notes()
        let channel = EmbeddedChannel(handlers: [EncryptedReads(ReceiveBuffers()), notes])
        // The longest record of TLS 1.3.
        let one = record(16_401)
        let seven = ByteBuffer(bytes: Array(repeatElement(one, count: 7).joined()))
        for _ in 0..<(EncryptedReads.fewBytes / seven.readableBytes) { try channel.writeInbound(seven) }
        #expect(notes.all.allSatisfy { $0 != "\(seven.readableBytes)" })
        notes.all = []
        try channel.writeInbound(seven)
        #expect(notes.all == ["\(seven.readableBytes)", "complete"])
        notes.all = []
        try channel.writeInbound(ByteBuffer(bytes: [UInt8](buffer: seven) + record(18)))
        #expect(notes.all == ["begins", "\(seven.readableBytes)", "complete", "23", "complete", "ended"])
    }
}
