internal import NIOCore
public import SwiftProtobuf

/// A call that a client has begun, of any of the four kinds.
///
/// Whoever sends waits while the server, or the network, is behind; who does not take the responses makes the
/// server wait. A call goes on until it has ended, is cancelled, or its deadline has passed. When a task that
/// waits for the call is cancelled, so is the call.
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

    /// Sends a message. It leaves at once, together with others that are waiting.
    ///
    /// - Parameter compressed: whether to compress it, if the call's messages are.
    /// - Throws: the status of the call if it has ended; FAILED_PRECONDITION after `finish`.
    public func send(_ message: Request, compressed: Bool = true) async throws(GRPCStatus) {
        let message = try message.serialized()
        try await send { batch throws(GRPCStatus) in
            try writer.write(message, compressed: compressed, to: &batch)
        }
    }

    /// Sends the messages that `write` writes.
    func send(
        _ write: (inout ByteBuffer) throws(GRPCStatus) -> Void
    ) async throws(GRPCStatus) {
        var batch = exchange.pipe.takeSpare()
        try write(&batch)
        await settle(try exchange.pipe.write(batch))
    }

    /// Wakes the connection for what was put into the pipe, and waits while that is full.
    func settle(_ written: MessagePipe.Written) async {
        switch written {
        case .done(let mustWake):
            if mustWake { control.wake() }
        case .full(let mustWake):
            if mustWake { control.wake() }
            await cancellable { await exchange.pipe.waitForRoom() }
        }
    }

    /// No more messages follow.
    public func finish() {
        if exchange.pipe.finish() { control.wake() }
    }

    // MARK: Receiving

    /// What the server sends in front of its first message. Waits for it, or for the end of the call.
    ///
    /// - Throws: the status of the call if it failed before it had an answer.
    public func responseMetadata() async throws(GRPCStatus) -> GRPCMetadata {
        try await cancellable { () throws(GRPCStatus) in try await exchange.metadata() }
    }

    /// The next message of the server; nil after the last one of a call that ended well.
    ///
    /// - Throws: the status of a call that failed, after the messages that came before; INTERNAL for bytes that
    ///   are not such a message, which ends the call.
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
            // Does nothing if the call has ended, and else the message could not be read.
            control.cancel()
            throw error
        }
    }

    /// The messages of the server as a sequence, which throws as `next` does.
    public var responses: Responses { Responses(call: self) }

    public struct Responses: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let call: GRPCClientCall

        public func makeAsyncIterator() -> Responses { self }

        public mutating func next() async throws(GRPCStatus) -> Response? { try await call.next() }
    }

    /// Ends the stream of messages and waits for the response of a method that has exactly one.
    ///
    /// - Throws: the status of the call unless it ended well; UNIMPLEMENTED for another number of responses
    ///   (grpc/doc/statuscodes.md).
    public func closeAndReceive() async throws(GRPCStatus) -> Response {
        finish()
        do throws(GRPCStatus) {
            let message = try await cancellable { () throws(GRPCStatus) in try await exchange.onlyMessage() }
            guard let message else { throw GRPCStatus.notOneMessage }
            return try Response(received: message)
        } catch {
            // Does nothing if the call has ended, and else it has broken the rules of its method.
            control.cancel()
            throw error
        }
    }

    /// Waits until the call has ended, in whichever way.
    ///
    /// - Returns: its status, and the metadata that came with it. A call that `closeAndReceive` found to break
    ///   the rules of its method may have the status OK here.
    public func ended() async -> (status: GRPCStatus, trailers: GRPCMetadata) {
        let end = await cancellable { await exchange.ended() }
        return (end.status, end.trailers)
    }

    /// The address of the server, such as `127.0.0.1:50051`, as soon as the call has a connection.
    ///
    /// - Returns: nil if the call ended without one.
    public func peer() async -> Peer? {
        await cancellable { await control.peer() }
    }

    /// Gives the call up: the server is told (RST_STREAM CANCEL), and whoever waits for it gets CANCELLED.
    public func cancel() {
        control.cancel()
    }

    /// Cancels the call when the task that waits is cancelled.
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
        code: .unimplemented, message: "the server did not answer with the one message that was due")
}
