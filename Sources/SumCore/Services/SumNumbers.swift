internal import NIOCore
internal import SwiftProtobuf

/// `tutorial.NumberService/SumNumbers`: adds the numbers a client streams, and answers with their sum.
public enum SumNumbers {
    public static let service = "tutorial.NumberService"
    public static let path = "/\(service)/SumNumbers"

    /// What becomes of a sum that does not fit int32.
    public enum Overflow: String, CaseIterable, Sendable {
        /// The call ends with OUT_OF_RANGE; its message has the exact sum.
        case error
        /// The low 32 bits are the answer, as Go's `int32(sum)` gives.
        case wrap
    }

    /// Bytes of the longest message that the method takes unless it is told otherwise. A number takes 11; the rest is
    /// for fields that a newer client may add.
    public static let defaultMaxMessageSize = 4 << 10

    /// The method for a server to host.
    ///
    /// - Parameter maxMessageSize: bytes of the longest message it takes. Messages with unknown fields are parsed
    ///   on the event loop, at up to 50 ns a byte, and nothing else happens there while one of them is.
    public static func method(
        overflow: Overflow = .error, maxMessageSize: Int = defaultMaxMessageSize
    ) -> GRPCMethod {
        GRPCMethod(path: path, maxMessageSize: maxMessageSize) { context in
            SumNumbersHandler(overflow: overflow, context: context)
        }
    }
}

/// One call of SumNumbers on the server. Its memory does not depend on how many numbers come.
final class SumNumbersHandler: ServerCallHandler {
    private let overflow: SumNumbers.Overflow
    var decoder = NumberDecoder()
    private var reader: MessageReader
    private let responseCompression: GRPCCompression

    /// Whether the sum has been given.
    private var hasAnswered = false

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
        var reply = ServerReply()
        let count = bytes.readableBytes
        do {
            try add(&bytes, within: &budget, decompressed: &reply.decompressed)
        } catch {
            reply.end = error
        }
        reply.consumed = count - bytes.readableBytes
        return reply
    }

    /// - Parameter decompressed: grows by the bytes that come out of compressed messages.
    private func add(
        _ bytes: inout ByteBuffer, within budget: inout TurnBudget, decompressed: inout Int
    ) throws(GRPCStatus) {
        while bytes.readableBytes > 0 {
            if reader.isAtBoundary, reader.maxLength >= NumberDecoder.longestMessage {
                bytes.moveReaderIndex(forwardBy: decoder.add(bytes.readableBytesSpan))
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

    func receiveEnd() -> ServerReply {
        do {
            try reader.finish()
            return try answer()
        } catch {
            return ServerReply(end: error)
        }
    }

    private func answer() throws(GRPCStatus) -> ServerReply {
        let sum = try sum()
        hasAnswered = true
        var reply = ServerReply(end: .ok)
        guard responseCompression != .identity else {
            reply.messages.writeNumber(sum)
            return reply
        }
        reply.compression = responseCompression
        let writer = MessageWriter(compression: responseCompression)
        try writer.write(try Tutorial_NumberResponse.with { $0.sum = sum }.serialized(), to: &reply.messages)
        return reply
    }

    private func sum() throws(GRPCStatus) -> Int32 {
        if overflow == .wrap { return Int32(truncatingIfNeeded: decoder.sum) }
        guard let sum = Int32(exactly: decoder.sum) else {
            throw GRPCStatus(
                code: .outOfRange,
                message: "the sum \(decoder.sum) of \(decoder.count) numbers does not fit int32")
        }
        return sum
    }

    func cancel(_ reason: GRPCStatus) {}
}
