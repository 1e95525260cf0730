internal import NIOCore
public import SwiftProtobuf

/// A call of a client-streaming method that takes its messages in batches, as they arrive, on the connection's event
/// loop.
///
/// Nothing waits for the next message, so a message costs little more than decoding it, and a call needs no task. In
/// return the closures must not block, and their work holds up the event loop's other connections.
public struct GRPCBatchCall<Request: Message, Response: Message> {
    let handler: any ServerCallHandler

    /// Creates a call that folds its messages into a value.
    ///
    /// Closures may throw the `GRPCStatus` that ends the call; another error ends it with UNKNOWN and the error's text.
    ///
    /// - Parameters:
    ///   - context: of the call.
    ///   - initial: the value before the first message.
    ///   - add: gets the value, and the messages that have come, in their order; never none.
    ///   - answer: returns the response, after the last message.
    public init<Value>(
        _ context: ServerCallContext, startingWith initial: Value,
        adding add: @escaping (inout Value, [Request]) throws -> Void,
        answer: @escaping (Value) throws -> Response
    ) {
        handler = BatchHandler(context: context, value: initial, add: add, answer: answer)
    }

    /// Creates a call with a handler of the lowest level, which may decode messages faster than SwiftProtobuf does.
    ///
    /// - Parameter handler: must take `Request` messages and respond with one `Response`. Nothing checks that.
    public init(_ handler: any ServerCallHandler) {
        self.handler = handler
    }
}

extension GRPCMethod {
    /// Creates a client-streaming method that takes its messages in batches.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - maxMessageSize: the maximum size of a request message in bytes; nil for the server's limit. Messages are
    ///     decoded on the event loop, so it should be no larger than the method needs.
    ///   - makeCall: creates what serves a call, on the connection's event loop; it must not block. If it throws, the
    ///     call ends with that status.
    public static func batchwise<Request: Message, Response: Message>(
        path: String, maxMessageSize: Int? = nil,
        _ makeCall:
            @escaping @Sendable (ServerCallContext) throws(GRPCStatus) -> GRPCBatchCall<Request, Response>
    ) -> GRPCMethod {
        GRPCMethod(path: path, maxMessageSize: maxMessageSize) { context throws(GRPCStatus) in
            try makeCall(context).handler
        }
    }
}

/// Decodes messages by SwiftProtobuf and folds them into a value.
private final class BatchHandler<Value, Request: Message, Response: Message>: ServerCallHandler {
    private var value: Value
    private var reader: MessageReader
    private var counts = MessageCounts(received: 0, sent: 0)
    private let add: (inout Value, [Request]) throws -> Void
    private let answer: (Value) throws -> Response
    private let responseCompression: GRPCCompression

    var outlivesStream: Bool { false }
    var messageCounts: MessageCounts? { counts }

    init(
        context: ServerCallContext, value: Value,
        add: @escaping (inout Value, [Request]) throws -> Void, answer: @escaping (Value) throws -> Response
    ) {
        self.value = value
        self.add = add
        self.answer = answer
        reader = MessageReader(maxLength: context.maxMessageSize, compression: context.compression)
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
            let messages = try decode(&bytes, within: &budget, decompressed: &decompressed)
            if !messages.isEmpty { try add(&value, messages) }
        } catch {
            end = GRPCStatus(thrown: error)
        }
        var reply = ServerReply(consumed: count - bytes.readableBytes, end: end)
        if decompressed > 0 { reply.decompressed = decompressed }
        return reply
    }

    /// - Parameter decompressed: is increased by the decompressed bytes of compressed messages.
    private func decode(
        _ bytes: inout ByteBuffer, within budget: inout TurnBudget, decompressed: inout Int
    ) throws(GRPCStatus) -> [Request] {
        var messages: [Request] = []
        while bytes.readableBytes > 0, !budget.isSpent, let received = try reader.nextReceived(from: &bytes) {
            let message = try received.decompressed(reader.compression, limit: reader.maxLength)
            if received.isCompressed { decompressed += message.readableBytes }
            budget.spendOnMessage(of: message.readableBytes)
            messages.append(try Request(received: message))
        }
        counts.received += Int64(messages.count)
        return messages
    }

    func receiveEnd() -> ServerReply {
        do {
            try reader.finish()
            let response = try answer(value).serialized()
            var reply = ServerReply(end: .ok)
            if responseCompression != .identity { reply.compression = responseCompression }
            try MessageWriter(compression: responseCompression).write(response, to: &reply.messages)
            counts.sent = 1
            return reply
        } catch {
            return ServerReply(end: GRPCStatus(thrown: error))
        }
    }

    func cancel(_ reason: GRPCStatus) {}
}
