import NIOCore
import Testing

@testable import SumCore

@Suite struct MessageInboxTests {
    private static func stream(_ messages: [[UInt8]], _ compression: GRPCCompression = .identity) throws
        -> ByteBuffer
    {
        var stream = ByteBuffer()
        for message in messages {
            try MessageWriter(compression: compression).write(message, to: &stream)
        }
        return stream
    }

    @Test(
        "Messages come out as they went in, wherever the stream is cut", arguments: [1, 2, 5, 7, 100, 5000])
    func pieces(_ length: Int) throws {
        let messages = (0..<200).map { Array(repeating: UInt8($0), count: $0 * 7 % 97) }
        var stream = try Self.stream(messages)
        var inbox = MessageInbox(limit: 100)
        var received: [[UInt8]] = []
        while stream.readableBytes > 0,
            let piece = stream.readSlice(length: min(length, stream.readableBytes))
        {
            try inbox.append(piece)
            // Not always emptied.
            if received.count % 3 == 0 { continue }
            while let message = inbox.next() { received.append([UInt8](message.bytes.readableBytesView)) }
        }
        while let message = inbox.next() { received.append([UInt8](message.bytes.readableBytesView)) }
        #expect(received == messages)
        #expect(inbox.byteCount == 0)
        try inbox.finish()
    }

    @Test("audit-M2: waiting messages take no more memory than was received, compressed or empty")
    func waiting() throws {
        var inbox = MessageInbox(limit: 4 << 20, compression: .gzip)
        let bomb = try Self.stream([Array(repeating: 0, count: 4 << 20)], .gzip)
        for _ in 0..<100 { try inbox.append(bomb) }
        #expect(inbox.byteCount == 100 * bomb.readableBytes)
        #expect(inbox.count == 100)
        #expect(inbox.largestDecompressedSize >= 4 << 20)
        var empty = MessageInbox(limit: 4 << 20)
        try empty.append(ByteBuffer(repeating: 0, count: 5 * 100_000))
        #expect(empty.count == 100_000)
        #expect(empty.byteCount == 500_000)
        #expect(MemoryLayout<MessageInbox>.size < 128)
    }

    @Test("An invalid prefix is reported at once, also after complete messages")
    func badPrefixes() throws {
        for (bytes, code): ([UInt8], GRPCStatus.Code) in [
            ([2, 0, 0, 0, 0], .internalError), ([1, 0, 0, 0, 0], .internalError),
            ([0, 0, 0, 0, 101], .resourceExhausted),
        ] {
            for before in [[], [0, 0, 0, 0, 1, 9]] as [[UInt8]] {
                var inbox = MessageInbox(limit: 100)
                let error = #expect(throws: GRPCStatus.self) {
                    try inbox.append(ByteBuffer(bytes: before + bytes))
                }
                #expect(error?.code == code)
            }
        }
    }

    @Test(
        "The end of the stream within a message is INTERNAL, with the bytes received of it",
        arguments: [1, 4, 5, 7])
    func cut(_ count: Int) throws {
        var inbox = MessageInbox(limit: 100)
        try inbox.append(ByteBuffer(bytes: [0, 0, 0, 0, 1, 9] + [0, 0, 0, 0, 9, 1, 2].prefix(count)))
        let error = #expect(throws: GRPCStatus.self) { try inbox.finish() }
        #expect(error?.code == .internalError)
        #expect(error?.message.contains("after \(count) bytes") == true)
    }
}
