internal import NIOCore

/// A call of `SumNumbers`: send numbers, close, and receive their sum.
///
/// Sending waits while the server, or the network, is behind. Several tasks may send at once.
public struct SumNumbersCall: Sendable {
    private let exchange: SingleResponseExchange<Tutorial_NumberResponse>
    private let wake: @Sendable () -> Void
    private let cancelCall: @Sendable () -> Void

    /// Bytes of numbers that are handed over together: about 12,000 numbers.
    private static let batchSize = 128 << 10

    init(
        exchange: SingleResponseExchange<Tutorial_NumberResponse>, wake: @escaping @Sendable () -> Void,
        cancel: @escaping @Sendable () -> Void
    ) {
        self.exchange = exchange
        self.wake = wake
        self.cancelCall = cancel
    }

    /// Sends one number. It leaves at once, together with others that are waiting.
    ///
    /// - Throws: the `GRPCStatus` of the call if it has ended.
    public func send(_ number: Int32) async throws(GRPCStatus) {
        let written = try exchange.pipe.write(maximumLength: NumberEncoder.maximumLength) { frame in
            let one: InlineArray<1, Int32> = [number]
            _ = NumberEncoder.append(one.span, to: &frame)
        }
        await settle(written)
    }

    /// Sends many numbers.
    ///
    /// - Throws: the `GRPCStatus` of the call if it has ended.
    public func send(contentsOf numbers: [Int32]) async throws(GRPCStatus) {
        var sent = 0
        while sent < numbers.count {
            var batch = exchange.pipe.takeSpare()
            let left = (numbers.count - sent) * NumberEncoder.maximumLength
            batch.writeWithOutputRawSpan(minimumWritableBytes: min(Self.batchSize, left)) { frame in
                sent += NumberEncoder.append(numbers.span.extracting(sent...), to: &frame)
            }
            await settle(try exchange.pipe.write(batch))
        }
    }

    private func settle(_ written: MessagePipe.Written) async {
        switch written {
        case .done(let mustWake):
            if mustWake { wake() }
        case .full(let mustWake):
            if mustWake { wake() }
            await withTaskCancellationHandler {
                await exchange.pipe.waitForRoom()
            } onCancel: {
                cancelCall()
            }
        }
    }

    /// Ends the stream of numbers and waits for the sum.
    ///
    /// - Throws: the `GRPCStatus` of the call unless it ended well, with exactly one sum.
    public func closeAndReceive() async throws(GRPCStatus) -> Int32 {
        if exchange.pipe.finish() { wake() }
        let outcome = await withTaskCancellationHandler {
            await exchange.outcome()
        } onCancel: {
            cancelCall()
        }
        return try outcome.get().sum
    }

    /// Waits until the call has ended, in whichever way, without closing the stream of numbers.
    ///
    /// - Returns: the status the call ended with.
    public func ended() async -> GRPCStatus {
        switch await exchange.outcome() {
        case .success: .ok
        case .failure(let status): status
        }
    }

    /// Gives the call up: the server is told (RST_STREAM CANCEL), and whoever waits for it gets CANCELLED.
    public func cancel() {
        cancelCall()
    }
}
