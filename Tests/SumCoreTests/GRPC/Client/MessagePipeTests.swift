import NIOCore
import Testing

@testable import SumCore

@Suite struct MessagePipeTests {
    private func fill(_ pipe: MessagePipe, room: Int) -> (bytes: [UInt8], result: HTTP2BodyState) {
        withFrame(room: room) { pipe.fill(&$0) }
    }

    @Test("grpc-R6: messages are cut wherever a frame ends", arguments: [1, 2, 3, 7, 8, 20, 21, 22])
    func cutAnywhere(_ room: Int) throws {
        let pipe = MessagePipe()
        let messages = (1...3).map { ByteBuffer(bytes: [0, 0, 0, 0, 2, 8, UInt8($0)]) }
        for message in messages { _ = try pipe.write(message) }
        #expect(!pipe.finish())
        var sent: [UInt8] = []
        var progress = HTTP2BodyState.open
        while progress == .open {
            let frame = fill(pipe, room: room)
            #expect(!frame.bytes.isEmpty)
            sent += frame.bytes
            progress = frame.result
        }
        #expect(sent == messages.flatMap { [UInt8]($0.readableBytesView) })
    }

    @Test("Single messages are gathered, and keep their order with batches")
    func gather() throws {
        let pipe = MessagePipe()
        for number in 1...3 as ClosedRange<UInt8> {
            _ = try pipe.write(maxLength: 4) { frame in
                frame.append(number, as: UInt8.self)
            }
        }
        _ = try pipe.write(ByteBuffer(bytes: [9, 9]))
        _ = try pipe.write(maxLength: 4) { $0.append(4, as: UInt8.self) }
        #expect(fill(pipe, room: 100).bytes == [1, 2, 3, 9, 9, 4])
    }

    @Test("grpc-R6: a long batch is handed over in pieces, a short one is copied")
    func longPieces() throws {
        let pipe = MessagePipe()
        let long = ByteBuffer(bytes: (0..<40_000).map { UInt8(truncatingIfNeeded: $0) })
        _ = try pipe.write(ByteBuffer(bytes: [1, 2]))
        _ = try pipe.write(long)
        _ = pipe.finish()
        #expect(pipe.takeLongPiece(maximum: 16_384) == nil)
        #expect(fill(pipe, room: 2).bytes == [1, 2])
        let first = try #require(pipe.takeLongPiece(maximum: 16_384))
        #expect(first == (long.getSlice(at: 0, length: 16_384), .open))
        let second = try #require(pipe.takeLongPiece(maximum: 65_536))
        #expect(second == (long.getSlice(at: 16_384, length: 40_000 - 16_384), .finished(trailers: [])))
    }

    @Test("Memory that was handed over is not written to while it is in use")
    func spareMemory() throws {
        let pipe = MessagePipe()
        let batch = ByteBuffer(repeating: 7, count: 20_000)
        _ = try pipe.write(batch)
        let piece = try #require(pipe.takeLongPiece(maximum: 65_536))
        var spare = pipe.takeSpare()
        spare.writeRepeatingByte(9, count: 20_000)
        #expect(piece.bytes == batch)
    }

    @Test("The event loop is woken once, and only if it has found the pipe empty")
    func wake() throws {
        let pipe = MessagePipe()
        func wakes(_ written: MessagePipe.Written) -> Bool {
            switch written {
            case .done(let wake), .full(let wake): wake
            }
        }
        #expect(!wakes(try pipe.write(ByteBuffer(bytes: [1]))))
        #expect(fill(pipe, room: 10).bytes == [1])
        #expect(!wakes(try pipe.write(ByteBuffer(bytes: [2]))))
        #expect(fill(pipe, room: 10).bytes == [2])
        #expect(fill(pipe, room: 10).bytes.isEmpty)
        #expect(wakes(try pipe.write(ByteBuffer(bytes: [3]))))
        #expect(!wakes(try pipe.write(ByteBuffer(bytes: [4]))))
        _ = fill(pipe, room: 10)
        _ = fill(pipe, room: 10)
        #expect(pipe.finish())
        #expect(fill(pipe, room: 10).result == .finished(trailers: []))
    }

    @Test("A sender waits while the pipe is full, until half of it has left")
    func backpressure() async throws {
        let pipe = MessagePipe()
        var isFull = false
        var written = 0
        while !isFull {
            if case .full = try pipe.write(ByteBuffer(repeating: 1, count: 100_000)) { isFull = true }
            written += 100_000
        }
        #expect((500_000...700_000).contains(written))
        async let hasRoom: Void = pipe.waitForRoom()
        while written >= 1 << 18 { written -= fill(pipe, room: 16384).bytes.count }
        await hasRoom
    }

    @Test(
        "grpc-A5, abuse-K1: the end of the call wakes waiting tasks, and fails senders",
        .timeLimit(.minutes(10)))
    func end() async throws {
        let pipe = MessagePipe()
        while case .done = try pipe.write(ByteBuffer(repeating: 1, count: 100_000)) {}
        async let hasRoom: Void = pipe.waitForRoom()
        let status = GRPCStatus(code: .invalidArgument, message: "no")
        pipe.end(status)
        await hasRoom
        #expect(throws: status) { try pipe.write(ByteBuffer(bytes: [1])) }
        #expect(fill(pipe, room: 10).result == .open)
    }
}
