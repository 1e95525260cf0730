internal import NIOCore
internal import Synchronization

/// A call of `SumNumbers` whose numbers are all known at the start.
///
/// The task that waits for it is involved only at the beginning and the end; everything between happens on the event
/// loop.
final class OneShotSum: ClientCallHandler, HTTP2Body {
    typealias Outcome = Result<Int32, GRPCStatus>

    @safe private struct State {
        var numbers: [Int32]
        /// Numbers that have been encoded.
        var encoded = 0
        /// The rest of a number that was cut by the end of a frame; nil if none was.
        var rest: ByteBuffer?
        /// Bytes that were passed on.
        var bytesWritten = 0
        var reader: MessageReader
        /// Responses in the usual encoding of a number.
        var decoder = NumberDecoder()
        /// Any other response, decompressed.
        var message: ByteBuffer?
        /// The end of a call that is cancelled before anybody waits for it.
        var outcome: Outcome?
        /// Taken before it is resumed, so that it is resumed once.
        @safe var waiter: UnsafeContinuation<Outcome, Never>?

        var allIsEncoded: Bool { encoded == numbers.count && rest == nil }
        var hasResponse: Bool { decoder.count > 0 || message != nil }
    }

    private let state: Mutex<State>

    init(of numbers: [Int32], maxMessageSize: Int) {
        // The response is decompressed on the event loop, so the limit is no larger than a sum needs.
        let limit = min(maxMessageSize, SumNumbers.defaultMaxMessageSize)
        state = unsafe Mutex(State(numbers: numbers, reader: MessageReader(maxLength: limit)))
    }

    /// Begins the call and waits for its end. Cancelling the task cancels the call.
    ///
    /// A checked continuation costs a short call hundreds of instructions, and an allocation. Without the check it is sound
    /// because only who takes `waiter`, under the lock, resumes it, or who finds that the call has ended, and because each
    /// call ends (`CallAttempts`).
    nonisolated(nonsending) func outcome(
        of call: any ClientCallControl, begin: () -> Void
    ) async -> Outcome {
        await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { continuation in
                let outcome = state.withLock { state in
                    if state.outcome == nil { unsafe state.waiter = continuation }
                    return state.outcome
                }
                if let outcome { unsafe continuation.resume(returning: outcome) } else { begin() }
            }
        } onCancel: {
            call.cancel()
        }
    }

    // MARK: For the event loop

    var requestBody: any HTTP2Body { self }
    var canRestart: Bool { true }

    func restart() {
        state.withLock { state in
            guard state.encoded > 0 else { return }
            state.encoded = 0
            state.rest = nil
            state.bytesWritten = 0
        }
    }

    var tally: ClientCallObservation.Tally {
        state.withLock { state in
            ClientCallObservation.Tally(
                messagesWritten: Int64(state.encoded), bytesWritten: state.bytesWritten,
                messagesReceived: state.hasResponse ? 1 : 0)
        }
    }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        let room = frame.freeCapacity
        return state.withLock { state in
            defer { state.bytesWritten += room - frame.freeCapacity }
            while frame.freeCapacity > 0, !state.allIsEncoded {
                if var rest = state.rest {
                    frame.append(moving: &rest)
                    state.rest = rest.readableBytes == 0 ? nil : rest
                } else if frame.freeCapacity >= NumberEncoder.maxLength {
                    let encoded = state.encoded
                    let count = NumberEncoder.append(state.numbers.span.extracting(encoded...), to: &frame)
                    state.encoded = encoded + count
                } else {
                    let number = state.numbers[state.encoded]
                    state.encoded += 1
                    var rest = ByteBuffer()
                    rest.writeNumber(number)
                    state.rest = rest
                }
            }
            return state.allIsEncoded ? .finished(trailers: []) : .open
        }
    }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {
        guard compression != .identity else { return }
        state.withLock { state in
            state.reader = MessageReader(
                maxLength: state.reader.maxLength, compression: compression)
        }
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        try state.withLock { state throws(GRPCStatus) in
            var left = bytes
            if state.reader.isAtBoundary, state.reader.maxLength >= NumberDecoder.longestMessage {
                left.moveReaderIndex(forwardBy: state.decoder.add(left.readableBytesSpan))
            }
            guard state.decoder.count <= 1 else { throw .notOneMessage }
            while left.readableBytes > 0, let message = try state.reader.nextReceived(from: &left) {
                // Checked before decompressing, because the server decides how many messages it sends.
                guard !state.hasResponse else { throw .notOneMessage }
                state.message = try message.decompressed(
                    state.reader.compression, limit: state.reader.maxLength)
            }
        }
        return bytes.readableBytes
    }

    func end(_ end: ClientCallEnd) {
        let (outcome, waiter) = unsafe state.withLock { state in
            let outcome = Self.judge(end, state)
            state.outcome = outcome
            return unsafe (outcome, state.waiter.take())
        }
        unsafe waiter?.resume(returning: outcome)
    }

    private static func judge(_ end: ClientCallEnd, _ state: State) -> Outcome {
        guard end.isOK else { return .failure(end.status) }
        do throws(GRPCStatus) {
            try state.reader.finish()
            let sum = try sum(state)
            guard end.everythingWasSent else { throw .answeredTooEarly }
            return .success(sum)
        } catch {
            return .failure(error)
        }
    }

    private static func sum(_ state: State) throws(GRPCStatus) -> Int32 {
        if let message = state.message { return try Tutorial_NumberResponse(received: message).sum }
        // A single number, which is an Int32.
        guard state.decoder.count == 1, let sum = Int32(exactly: state.decoder.sum) else {
            throw .notOneMessage
        }
        return sum
    }
}
