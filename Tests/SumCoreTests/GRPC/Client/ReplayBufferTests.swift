import NIOCore
import Testing

@testable import SumCore

@Suite struct ReplayBufferTests {
    @Test(
        "grpc-K14: what was sent is replayed from the first byte, wherever frames were cut",
        arguments: 1...9)
    func replay(_ room: Int) {
        var buffer = ReplayBuffer()
        var source = ByteBuffer(bytes: 0..<40)
        func send(_ frames: Int) -> [UInt8] {
            (0..<frames).flatMap { _ in
                withFrame(room: room) { frame in
                    buffer.fill(&frame) { frame in
                        frame.append(moving: &source)
                        return source.readableBytes == 0 ? .finished(trailers: []) : .open
                    }
                }.bytes
            }
        }
        let first = send(3)
        #expect(first == Array(0..<UInt8(3 * room)))
        #expect(buffer.rewind() == true)
        #expect(send(60) == Array(0..<40))
        #expect(buffer.isWhole)
        #expect(buffer.rewind() == true)
        #expect(send(60) == Array(0..<40))
    }

    @Test("grpc-K14: nothing bypasses the buffer while it keeps what is sent, or replays it")
    func bypass() {
        var buffer = ReplayBuffer()
        #expect(!buffer.isOver)
        _ = withFrame(room: 4) { frame in
            buffer.fill(&frame) { frame in
                frame.append(1, as: UInt8.self)
                return .open
            }
        }
        #expect(buffer.rewind() == true)
        buffer.drop()
        #expect(!buffer.isOver)
        _ = withFrame(room: 4) { frame in buffer.fill(&frame) { _ in .open } }
        #expect(buffer.isOver)
    }

    @Test("grpc-K14: the buffer keeps no more than its limit")
    func overflow() {
        #expect(ReplayBuffer.filled(frames: 16).isWhole)
        #expect(ReplayBuffer.filled(frames: 17).isWhole == false)
        #expect(ReplayBuffer.filled(frames: 17).hasOverflowed)
    }
}
