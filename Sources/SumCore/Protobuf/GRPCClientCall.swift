internal import NIOCore
public import SwiftProtobuf

/// A call that a client has begun, of any of the four kinds.
///
/// Sending waits while the server or the network is slow; a program that does not take the responses makes the server
/// wait. A call continues until it ends, is cancelled, or its deadline passes. Cancelling a task that waits for the
/// call cancels the call. All methods may be called from any task, also concurrently.
public struct GRPCClientCall<Request: Message, Response: Message>: Sendable {
    let exchange: AsyncClientCall
    let control: any ClientCallControl
    let writer: MessageWriter

    init(exchange: AsyncClientCall, control: any ClientCallControl, compression: GRPCCompression) {
        self.exchange = exchange
        self.control = control
        writer = MessageWriter(compression: compression)
    }

    // MARK: Sending

    /// Sends a message. It leaves at once, together with others that are queued. Waits while 512 KiB are queued.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - compressed: whether to compress it, if the call has a compression.
    /// - Throws: the status of the call if it has ended; FAILED_PRECONDITION after `finish` or after a call that ended
    ///   with OK; INTERNAL if the message cannot be encoded.
    public func send(_ message: Request, compressed: Bool = true) async throws(GRPCStatus) {
        let message = try message.serialized()
        try await send(count: 1) { batch throws(GRPCStatus) in
            try writer.write(message, compressed: compressed, to: &batch)
        }
    }

    /// Bytes of small messages that are queued together.
    private static var batchSize: Int { 64 << 10 }

    /// Sends many messages. They are queued in batches, which costs much less than one by one if they are small. Waits
    /// while 512 KiB are queued.
    ///
    /// - Parameters:
    ///   - messages: the messages, in their order.
    ///   - compressed: whether to compress them, if the call has a compression.
    /// - Throws: the status of the call if it has ended; FAILED_PRECONDITION after `finish` or after a call that ended
    ///   with OK; INTERNAL if a message cannot be encoded. Some of the messages before it may have been sent then.
    public func send(
        contentsOf messages: some Sequence<Request>, compressed: Bool = true
    ) async throws(GRPCStatus) {
        var rest = messages.makeIterator()
        var next = rest.next()
        while next != nil {
            var batch = exchange.pipe.takeSpare()
            var count = 0
            while let message = next, batch.readableBytes < Self.batchSize {
                try writer.write(message.serialized(), compressed: compressed, to: &batch)
                count += 1
                next = rest.next()
            }
            await settle(try exchange.pipe.write(batch, messageCount: count))
        }
    }

    /// Sends the `count` messages that `write` appends to a buffer.
    func send(
        count: Int, _ write: (inout ByteBuffer) throws(GRPCStatus) -> Void
    ) async throws(GRPCStatus) {
        var batch = exchange.pipe.takeSpare()
        try write(&batch)
        await settle(try exchange.pipe.write(batch, messageCount: count))
    }

    /// Wakes the connection if the pipe asks for it, and waits while the pipe is full.
    func settle(_ written: MessagePipe.Written) async {
        switch written {
        case .done(let mustWake):
            if mustWake { control.wake() }
        case .full(let mustWake):
            if mustWake { control.wake() }
            await cancellable { await exchange.pipe.waitForRoom() }
        }
    }

    /// Half-closes the call: no more messages follow.
    public func finish() {
        if exchange.pipe.finish() { control.wake() }
    }

    // MARK: Receiving

    /// The metadata in the response headers. Waits for them, or for the end of the call.
    ///
    /// - Returns: the metadata; empty if the call ended with OK without separate headers.
    /// - Throws: the status of the call if it failed before the headers.
    public func responseMetadata() async throws(GRPCStatus) -> GRPCMetadata {
        try await cancellable { () throws(GRPCStatus) in try await exchange.metadata() }
    }

    /// The next response. Waits for it, or for the end of the call.
    ///
    /// - Returns: nil after the last response of a call that ended with OK.
    /// - Throws: the status of a call that failed, after the responses that came before; INTERNAL or RESOURCE_EXHAUSTED
    ///   for a message that cannot be decoded, which also cancels the call.
    public func next() async throws(GRPCStatus) -> Response? {
        do throws(GRPCStatus) {
            guard
                let (bytes, credit) = try await cancellable({ () throws(GRPCStatus) in
                    try await exchange.next()
                })
            else { return nil }
            if credit > 0 { control.credit(credit) }
            return try Response(received: bytes)
        } catch {
            // Has no effect if the call has ended. Otherwise the message could not be read.
            control.cancel()
            throw error
        }
    }

    /// Whether the response that was taken last came compressed.
    public var lastMessageWasCompressed: Bool { exchange.lastMessageWasCompressed }

    /// The responses as a sequence.
    public var responses: Responses { Responses(call: self) }

    /// The responses of a call. Each is delivered once, however many iterators there are.
    public struct Responses: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let call: GRPCClientCall

        /// The sequence itself.
        public func makeAsyncIterator() -> Responses { self }

        /// The next response, as `GRPCClientCall.next()` returns or throws it.
        public mutating func next() async throws(GRPCStatus) -> Response? { try await call.next() }
    }

    /// Half-closes the call, and waits for the response of a method that has exactly one.
    ///
    /// - Throws: the status of the call if it is not OK; UNIMPLEMENTED for no or several responses
    ///   (grpc/doc/statuscodes.md); INTERNAL or RESOURCE_EXHAUSTED for a message that cannot be decoded.
    public func closeAndReceive() async throws(GRPCStatus) -> Response {
        finish()
        do throws(GRPCStatus) {
            let message = try await cancellable { () throws(GRPCStatus) in try await exchange.onlyMessage() }
            guard let message else { throw GRPCStatus.notOneMessage }
            return try Response(received: message)
        } catch {
            // Has no effect if the call has ended. Otherwise the server has broken the rules of the method.
            control.cancel()
            throw error
        }
    }

    /// Waits until the call has ended, for whatever reason.
    ///
    /// - Returns: the call's status, and the metadata that came with it (trailers). The status may be OK although
    ///   `closeAndReceive` has thrown UNIMPLEMENTED.
    public func ended() async -> (status: GRPCStatus, trailers: GRPCMetadata) {
        let end = await cancellable { await exchange.ended() }
        return (end.status, end.trailers)
    }

    /// The address of the server, such as `127.0.0.1:50051`. Waits until the call has a connection.
    ///
    /// - Returns: nil if the call ended without a connection.
    public func peer() async -> Peer? {
        await cancellable { await control.peer() }
    }

    /// Cancels the call: the server gets RST_STREAM(CANCEL), and tasks that wait for the call get CANCELLED. Has no
    /// effect after the end of the call.
    public func cancel() {
        control.cancel()
    }

    /// Performs `operation`, and cancels the call if the task is cancelled meanwhile.
    private func cancellable<Value, Failure: Error>(
        _ operation: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withTaskCancellationHandler {
            do throws(Failure) { return .success(try await operation()) } catch { return .failure(error) }
        } onCancel: {
            control.cancel()
        }
        return try result.get()
    }
}

extension GRPCStatus {
    static let notOneMessage = GRPCStatus(
        code: .unimplemented, message: "the server did not respond with exactly one message")
}
