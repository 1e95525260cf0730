import NIOCore
import Testing

@testable import SumCore

@Suite struct MessageReaderTests {
    static let messages: [[UInt8]] = [[8, 1], [], [8, 0xac, 2], Array(repeating: 7, count: 300)]
    static let stream = messages.reduce(into: ByteBuffer()) { $0.writeMessage($1) }

    private func read(_ chunks: [ByteBuffer], limit: Int = 4 << 20) throws -> [[UInt8]] {
        var reader = MessageReader(maxLength: limit)
        var messages: [[UInt8]] = []
        for chunk in chunks {
            var chunk = chunk
            while let message = try reader.next(from: &chunk) {
                messages.append(Array(message.readableBytesView))
            }
            #expect(chunk.readableBytes == 0)
        }
        try reader.finish()
        return messages
    }

    @Test("grpc-R6, abuse-F1: messages do not depend on where the stream is cut")
    func everySplit() throws {
        let bytes = Array(Self.stream.readableBytesView)
        for first in 0...bytes.count {
            #expect(
                try read([ByteBuffer(bytes: bytes[..<first]), ByteBuffer(bytes: bytes[first...])])
                    == Self.messages)
        }
        #expect(try read(bytes.map { ByteBuffer(bytes: [$0]) }) == Self.messages)
    }

    @Test("grpc-S11, abuse-G8, abuse-G9: a stream that ends within a message is an error", arguments: 1..<7)
    func cutShort(_ count: Int) {
        var chunk = ByteBuffer(bytes: [0, 0, 0, 0, 2, 8, 1].prefix(count))
        if count == 7 { return }
        #expect(
            throws: GRPCStatus(
                code: .internalError, message: "the stream ended within a message, after \(count) bytes of it"
            )
        ) {
            var reader = MessageReader(maxLength: 100)
            while try reader.next(from: &chunk) != nil {}
            try reader.finish()
        }
    }

    @Test("grpc-S9, abuse-G3, abuse-G4: a message is refused by its prefix alone")
    func tooLong() throws {
        let exact = ByteBuffer(bytes: [0, 0, 0, 0, 4, 1, 2, 3, 4])
        #expect(try read([exact], limit: 4) == [[1, 2, 3, 4]])
        for prefix in [[0, 0, 0, 0, 5], [0, 0xff, 0xff, 0xff, 0xff]] as [[UInt8]] {
            let error = #expect(throws: GRPCStatus.self) { try read([ByteBuffer(bytes: prefix)], limit: 4) }
            #expect(error?.code == .resourceExhausted)
        }
    }

    @Test(
        "grpc-S6, grpc-S7, abuse-G5, abuse-G7: a flag other than 0 is an error",
        arguments: [1, 2, 0x80, 0xff] as [UInt8])
    func badFlag(_ flag: UInt8) {
        let error = #expect(throws: GRPCStatus.self) { try read([ByteBuffer(bytes: [flag, 0, 0, 0, 0])]) }
        #expect(error?.code == .internalError)
    }
}
