import NIOCore
import Testing

@testable import SumCore

@Suite struct ShortMessageTests {
    private static let numbers: [Int32] = [
        0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455, 268_435_456, .max, -1, .min,
    ]

    private func bytes(_ number: Int32) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeNumber(number)
        return bytes
    }

    @Test("A number is the same message as two words and as bytes", arguments: numbers)
    func number(_ number: Int32) {
        #expect(ByteBuffer(ShortMessage(number)) == bytes(number))
        #expect(ShortMessage(number).byteCount == bytes(number).readableBytes)
    }

    @Test("A response of one number leaves whole, whatever room each frame has", arguments: numbers)
    func everyRoom(_ number: Int32) {
        for room in 1...20 {
            #expect(sent([number], room: room) == bytes(number), "\(room)")
            var both = bytes(number)
            both.writeImmutableBuffer(bytes(7))
            #expect(sent([number, 7], room: room) == both, "\(room)")
        }
    }

    /// What a stream sends in frames of `room` bytes.
    private func sent(_ numbers: [Int32], room: Int) -> ByteBuffer {
        let stream = ServerStream(id: 1, handler: nil, observation: nil)
        for number in numbers.dropLast() {
            var reply = ServerReply()
            reply.messages = bytes(number)
            _ = stream.take(reply)
        }
        _ = stream.take(ServerReply(lastMessage: ShortMessage(numbers[numbers.count - 1])))
        var sent = ByteBuffer()
        var isOpen = true
        while isOpen {
            let (bytes, state) = withFrame(room: room) { stream.fill(&$0) }
            sent.writeBytes(bytes)
            isOpen = state == .open
        }
        #expect(stream.bytesSent == sent.readableBytes)
        return sent
    }
}
