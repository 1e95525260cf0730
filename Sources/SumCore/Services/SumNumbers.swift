internal import NIOCore
internal import SwiftProtobuf

/// The method `tutorial.NumberService/SumNumbers`: adds the numbers that a client streams, and responds with their sum.
public enum SumNumbers {
    /// The full name of the service, as health and reflection use it.
    public static let service = Tutorial_NumberService.name
    /// The path of the method.
    public static let path = Tutorial_NumberService.Path.sumNumbers

    /// What to do with a sum that does not fit int32.
    public enum Overflow: String, CaseIterable, Sendable {
        /// End the call with OUT_OF_RANGE, and a message and details with the exact sum (`OutOfRange`).
        case error
        /// Respond with the low 32 bits, like Go's `int32(sum)`.
        case wrap
    }

    /// Bytes of the largest message that the method accepts by default. A number needs at most 11; the rest is for
    /// fields that newer clients may add.
    public static let defaultMaxMessageSize = 4 << 10

    /// The method, for a server to host.
    ///
    /// - Parameters:
    ///   - overflow: what to do with a sum that does not fit int32.
    ///   - maxMessageSize: bytes of the largest message accepted, compressed and decompressed. A message with unknown
    ///     fields is parsed on the event loop, at up to 50 ns per byte, and blocks the loop meanwhile.
    public static func method(
        overflow: Overflow = .error, maxMessageSize: Int = defaultMaxMessageSize
    ) -> GRPCMethod {
        let service = NumberService(overflow: overflow)
        return .batchwise(path: path, maxMessageSize: maxMessageSize) { service.sumNumbers(context: $0) }
    }
}

/// The service of tutorial.proto, with a handler of the lowest level.
private struct NumberService: Tutorial_NumberService.Service {
    let overflow: SumNumbers.Overflow

    func sumNumbers(
        context: ServerCallContext
    ) -> GRPCBatchCall<Tutorial_NumberRequest, Tutorial_NumberResponse> {
        GRPCBatchCall(SumNumbersHandler(overflow: overflow, context: context))
    }
}

/// The handler of one call of SumNumbers. Its memory does not depend on the count of numbers.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
final class SumNumbersHandler: ServerCallHandler {
    private let overflow: SumNumbers.Overflow
    @safe @exclusivity(unchecked) var decoder = NumberDecoder()
    @safe @exclusivity(unchecked) private var reader: MessageReader
    /// The message that the last bytes ended in, unless `reader` has it.
    @safe @exclusivity(unchecked) private var cut: CutNumber?
    private let responseCompression: GRPCCompression

    /// Whether the handler has responded with the sum.
    @safe @exclusivity(unchecked) private var hasAnswered = false

    var outlivesStream: Bool { false }
    var messageCounts: MessageCounts? {
        MessageCounts(received: decoder.count, sent: hasAnswered ? 1 : 0)
    }

    init(overflow: SumNumbers.Overflow, context: ServerCallContext) {
        self.overflow = overflow
        reader = MessageReader(
            maxLength: context.maxMessageSize, compression: context.compression)
        responseCompression = context.responseCompression
    }

    func receive(_ bytes: ByteBuffer) -> ServerReply {
        var (bytes, budget) = (bytes, TurnBudget.unlimited)
        return receive(&bytes, within: &budget)
    }

    func receive(_ bytes: inout ByteBuffer, within budget: inout TurnBudget) -> ServerReply {
        let count = bytes.readableBytes
        var decompressed = 0
        var end: GRPCStatus?
        do {
            try add(&bytes, within: &budget, decompressed: &decompressed)
        } catch {
            end = error
        }
        var reply = ServerReply(consumed: count - bytes.readableBytes, end: end)
        if decompressed > 0 { reply.decompressed = decompressed }
        return reply
    }

    /// - Parameter decompressed: is increased by the decompressed bytes of compressed messages.
    private func add(
        _ bytes: inout ByteBuffer, within budget: inout TurnBudget, decompressed: inout Int
    ) throws(GRPCStatus) {
        if let cut { try complete(cut, from: &bytes) }
        while bytes.readableBytes > 0 {
            if reader.isAtBoundary, reader.maxLength >= NumberDecoder.longestMessage {
                bytes.moveReaderIndex(forwardBy: decoder.add(bytes.readableBytesSpan))
                cut = CutNumber(bytes.readableBytesSpan)
                guard cut == nil else { return bytes.moveReaderIndex(forwardBy: bytes.readableBytes) }
            }
            guard bytes.readableBytes > 0, !budget.isSpent,
                let received = try reader.nextReceived(from: &bytes)
            else { return }
            let message = try received.decompressed(reader.compression, limit: reader.maxLength)
            if received.isCompressed { decompressed += message.readableBytes }
            budget.spendOnMessage(of: message.readableBytes)
            decoder.add(try Tutorial_NumberRequest(received: message).num)
        }
    }

    private func complete(_ cut: CutNumber, from bytes: inout ByteBuffer) throws(GRPCStatus) {
        guard let count = decoder.add(cut, followedBy: bytes.readableBytesSpan) else {
            return try leaveToReader(cut)
        }
        self.cut = nil
        bytes.moveReaderIndex(forwardBy: count)
    }

    private func leaveToReader(_ cut: CutNumber) throws(GRPCStatus) {
        self.cut = nil
        var beginning = ByteBuffer(ShortMessage(cut))
        _ = try reader.nextReceived(from: &beginning)
    }

    func receiveEnd() -> ServerReply {
        do {
            if let cut { try leaveToReader(cut) }
            // The rest would copy the reader.
            if !reader.isAtBoundary { try reader.finish() }
            return try answer()
        } catch {
            return ServerReply(end: error)
        }
    }

    private func answer() throws(GRPCStatus) -> ServerReply {
        let sum = try sum()
        hasAnswered = true
        guard responseCompression != .identity else { return ServerReply(lastMessage: ShortMessage(sum)) }
        var reply = ServerReply(end: .ok)
        reply.compression = responseCompression
        let writer = MessageWriter(compression: responseCompression)
        try writer.write(try Tutorial_NumberResponse.with { $0.sum = sum }.serialized(), to: &reply.messages)
        return reply
    }

    private func sum() throws(GRPCStatus) -> Int32 {
        if overflow == .wrap { return Int32(truncatingIfNeeded: decoder.sum) }
        guard let sum = Int32(exactly: decoder.sum) else {
            throw SumNumbers.OutOfRange(sum: decoder.sum, count: decoder.count).status
        }
        return sum
    }

    func cancel(_ reason: GRPCStatus) {}
}
