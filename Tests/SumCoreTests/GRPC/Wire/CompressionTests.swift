import NIOCore
import Testing

@testable import SumCore

@Suite struct CompressionTests {
    private static let messages: [[UInt8]] = [
        [8, 1], [], Array(repeating: 7, count: 100_000),
        (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 167) },
    ]

    private func write(_ messages: [[UInt8]], _ compression: GRPCCompression) throws -> ByteBuffer {
        let writer = MessageWriter(compression: compression)
        return try messages.reduce(into: ByteBuffer()) { try writer.write($1, to: &$0) }
    }

    private func read(_ stream: ByteBuffer, _ compression: GRPCCompression, limit: Int = 4 << 20) throws
        -> [[UInt8]]
    {
        var stream = stream
        var reader = MessageReader(maxLength: limit, compression: compression)
        var messages: [[UInt8]] = []
        while let message = try reader.next(from: &stream) {
            messages.append([UInt8](message.readableBytesView))
        }
        try reader.finish()
        return messages
    }

    private func status(_ stream: ByteBuffer, _ compression: GRPCCompression, limit: Int = 4 << 20)
        -> GRPCStatus.Code?
    {
        do {
            _ = try read(stream, compression, limit: limit)
            return nil
        } catch {
            return (error as? GRPCStatus)?.code
        }
    }

    @Test("abuse-G6: compression and decompression are inverse", arguments: GRPCCompression.allCases)
    func roundTrip(_ compression: GRPCCompression) throws {
        let stream = try write(Self.messages, compression)
        #expect(try read(stream, compression) == Self.messages)
        #expect(stream.getInteger(at: 0, as: UInt8.self) == (compression == .identity ? 0 : 1))
        if compression != .identity { #expect(stream.readableBytes < 20_000) }
    }

    @Test("Messages of a compressed call may be uncompressed", arguments: GRPCCompression.allCases)
    func perMessage(_ compression: GRPCCompression) throws {
        let writer = MessageWriter(compression: compression)
        var stream = ByteBuffer()
        try writer.write([8, 1], compressed: false, to: &stream)
        try writer.write([8, 2], to: &stream)
        #expect(stream.getBytes(at: 0, length: 7) == [0, 0, 0, 0, 2, 8, 1])
        #expect(try read(stream, compression) == [[8, 1], [8, 2]])
    }

    @Test(
        "grpc-S8: corrupt, truncated, or trailing compressed bytes are INTERNAL",
        arguments: [
            GRPCCompression.deflate, .gzip,
        ])
    func corrupt(_ compression: GRPCCompression) throws {
        let whole = try write([Array(repeating: 1, count: 1000)], compression)
        let payload = [UInt8](whole.readableBytesView.dropFirst(5))
        var flipped = payload
        flipped[payload.count - 2] ^= 0xff
        for bytes in [flipped, payload.dropLast(1), payload + [0], [1, 2, 3]] as [[UInt8]] {
            var stream = ByteBuffer()
            stream.writeMessage(bytes)
            stream.setInteger(UInt8(1), at: 0)
            #expect(status(stream, compression) == .internalError)
        }
    }

    @Test(
        "audit-P7: a compressed message without bytes is the empty message",
        arguments: [GRPCCompression.deflate, .gzip])
    func emptyCompressed(_ compression: GRPCCompression) throws {
        let stream = ByteBuffer(bytes: [1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 8, 1])
        #expect(try read(stream, compression) == [[], [8, 1]])
        #expect(status(stream, .identity) == .internalError)
    }

    @Test(
        "grpc-S9: the limit applies to the decompressed message", arguments: [GRPCCompression.deflate, .gzip])
    func bomb(_ compression: GRPCCompression) throws {
        let stream = try write([Array(repeating: 0, count: 100_000)], compression)
        #expect(stream.readableBytes < 1000)
        #expect(status(stream, compression, limit: 100_000) == nil)
        #expect(status(stream, compression, limit: 99_999) == .resourceExhausted)
    }

    @Test("grpc-S6, abuse-G5: a compressed message in an uncompressed call")
    func notNegotiated() throws {
        #expect(status(try write([[8, 1]], .gzip), .identity) == .internalError)
    }

    @Test("grpc-S5: only a known and offered compression is used")
    func accepted() {
        let accepted = GRPCCompression.allCases.filter { $0.isAccepted(by: "br, gzip") }
        #expect(accepted == [.identity, .gzip])
        #expect(GRPCCompression.gzip.isAccepted(by: "") == false)
        #expect(GRPCCompression.acceptEncoding == "identity,deflate,gzip")
        let context = ServerCallContext.sample(
            compression: .gzip, acceptEncoding: "identity,deflate")
        #expect(context.responseCompression == .identity)
    }

    @Test(
        "abuse-G6: SumNumbers accepts compressed numbers, and compresses its response likewise",
        arguments: [
            GRPCCompression.deflate, .gzip,
        ])
    func sum(_ compression: GRPCCompression) throws {
        let handler = SumNumbersHandler(
            overflow: .error,
            context: .sample(compression: compression, acceptEncoding: compression.rawValue))
        let plain = try write([[8, 1], [], [8, 40]], .identity)
        #expect(handler.receive(plain).end == nil)
        let compressed = try write([[8, 1], [], [8, 0xac, 2]], compression)
        #expect(handler.receive(compressed).end == nil)
        let reply = handler.receiveEnd()
        #expect(reply.end == .ok)
        #expect(reply.compression == compression)
        #expect(try read(reply.messages, compression) == [[8, 0xd6, 2]])
    }
}
