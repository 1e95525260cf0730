import NIOCore
import SwiftProtobuf

@testable import SumCore

extension FuzzTarget {
    /// abuse-F2: the handler of SumNumbers accepts what swift-protobuf accepts, refuses what it refuses, and gets the
    /// same sum, wherever the stream is cut. The loop over numbers takes complete messages only. The encoder writes
    /// the same bytes as swift-protobuf.
    public static let numbers = FuzzTarget("numbers", seeds: Framing.seeds) { bytes in
        var input = FuzzInput(bytes)
        let framing = Framing(&input)
        var pieces = Pieces(seed: input.byte())
        let stream = framing.stream(&input)
        let expected = framing.addSlowly(framing.readSlowly(stream))
        for overflow in SumNumbers.Overflow.allCases {
            let wanted = expected.answer(overflow)
            let whole = framing.add([ByteBuffer(bytes: stream)], overflow)
            try require(whole == wanted, "whole: \(whole), and not \(wanted)")
            let cut = framing.add(pieces.cut(stream), overflow)
            try require(cut == wanted, "in pieces: \(cut), and not \(wanted)")
        }
        try checkDecoder(stream)
        try checkEncoder(stream, &pieces)
    }

    /// The numbers that the loop takes by itself are those of the messages it has passed.
    private static func checkDecoder(_ stream: [UInt8]) throws {
        var decoder = NumberDecoder()
        let passed = decoder.add(stream.span.bytes)
        let slow = Framing.plain.readSlowly(Array(stream[..<passed]))
        try require(slow.error == nil, "the loop stopped within a message")
        let total = Framing.plain.addSlowly(slow)
        try require(total.error == nil, "the loop took what is no number, in its first \(passed) bytes")
        try require(decoder.sum == total.sum && decoder.count == total.count, "the loop's sum is wrong")
    }

    /// Takes the bytes for numbers.
    private static func checkEncoder(_ bytes: [UInt8], _ pieces: inout Pieces) throws {
        let numbers = stride(from: 0, to: bytes.count / 4 * 4, by: 4).map { start in
            bytes[start..<(start + 4)].reduce(Int32(0)) { $0 << 8 | Int32($1) } >> Int32(bytes[start] & 31)
        }
        var encoded: [UInt8] = []
        var count = 0
        while count < numbers.count {
            let room = NumberEncoder.maxLength + min(pieces.length(), 10_000) - 1
            let (frame, taken) = withFrame(room: room) {
                NumberEncoder.append(numbers.span.extracting(count...), to: &$0)
            }
            try require(taken > 0 && frame.count <= room, "the encoder took nothing, or wrote too much")
            encoded += frame
            count += taken
        }
        var expected = ByteBuffer()
        for number in numbers {
            expected.writeMessage(try Tutorial_NumberRequest.with { $0.num = number }.serialized())
        }
        try require(encoded == [UInt8](expected.readableBytesView), "the encoder wrote something else")
    }

    private static func withFrame(
        room: Int, _ body: (inout OutputRawSpan) -> Int
    ) -> (bytes: [UInt8], result: Int) {
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let memory = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[..<room])
            var frame = OutputRawSpan(buffer: memory, initializedCount: 0)
            result = body(&frame)
            count = frame.finalize(for: memory)
        }
        return (bytes, result)
    }
}

/// The result of a call of SumNumbers.
private struct Total {
    var sum: Int64 = 0
    var count: Int64 = 0
    var error: GRPCStatus.Code?

    func answer(_ overflow: SumNumbers.Overflow) -> Answer {
        if let error { return .failed(error) }
        if overflow == .wrap { return .sum(Int32(truncatingIfNeeded: sum)) }
        return Int32(exactly: sum).map(Answer.sum) ?? .failed(.outOfRange)
    }
}

private enum Answer: Equatable {
    case sum(Int32)
    case failed(GRPCStatus.Code)
}

extension Framing {
    fileprivate static let plain: Framing = {
        var input = FuzzInput([])
        return Framing(&input)
    }()

    fileprivate func addSlowly(_ outcome: Outcome) -> Total {
        var total = Total()
        for message in outcome.messages {
            guard let request = try? Tutorial_NumberRequest(serializedBytes: message) else {
                total.error = .internalError
                return total
            }
            total.sum += Int64(request.num)
            total.count += 1
        }
        total.error = outcome.error
        return total
    }

    fileprivate func add(_ pieces: [ByteBuffer], _ overflow: SumNumbers.Overflow) -> Answer {
        let values = ServerCallContext.Values(
            head: CallHead(path: SumNumbers.path), peer: Peer(address: "fuzz"), maxMessageSize: limit,
            compression: compression, post: { _, _ in })
        let context = ServerCallContext(.init(values), streamID: 1, deadline: nil)
        let handler = SumNumbersHandler(overflow: overflow, context: context)
        for piece in pieces {
            if let status = handler.receive(piece).end { return .failed(status.code) }
        }
        let reply = handler.receiveEnd()
        guard let status = reply.end, status.isOK else { return .failed(reply.end?.code ?? .unknown) }
        var reader = MessageReader(maxLength: 100)
        var messages = reply.messages
        guard let message = try? reader.next(from: &messages), messages.readableBytes == 0,
            let response = try? Tutorial_NumberResponse(received: message)
        else { return .failed(.unknown) }
        return .sum(response.sum)
    }
}
