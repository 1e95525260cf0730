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

    /// The method for a server to host.
    public static func method(overflow: Overflow = .error) -> GRPCMethod {
        GRPCMethod(path: path) { context in
            SumNumbersHandler(overflow: overflow, context: context)
        }
    }
}

/// One call of SumNumbers on the server. Its memory does not depend on how many numbers come.
final class SumNumbersHandler: ServerCallHandler {
    private let overflow: SumNumbers.Overflow
    private var decoder = NumberDecoder()
    private var reader: MessageReader
    private let responseCompression: GRPCCompression

    init(overflow: SumNumbers.Overflow, context: ServerCallContext) {
        self.overflow = overflow
        reader = MessageReader(
            maximumLength: context.maximumMessageLength, compression: context.compression)
        responseCompression = context.responseCompression
    }

    func receive(_ bytes: ByteBuffer) -> ServerReply {
        var reply = ServerReply(consumed: bytes.readableBytes)
        do {
            try add(bytes)
        } catch {
            reply.end = error
        }
        return reply
    }

    private func add(_ bytes: ByteBuffer) throws(GRPCStatus) {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            if reader.isAtBoundary, reader.maximumLength >= NumberDecoder.longestMessage {
                bytes.moveReaderIndex(forwardBy: decoder.add(bytes.readableBytesSpan))
            }
            guard bytes.readableBytes > 0, let message = try reader.next(from: &bytes) else { return }
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
        var reply = ServerReply(end: .ok)
        guard responseCompression != .identity else {
            reply.messages.writeNumber(sum)
            return reply
        }
        reply.compression = responseCompression
        var writer = MessageWriter(compression: responseCompression)
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
