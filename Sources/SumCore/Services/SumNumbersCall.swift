internal import NIOCore
internal import SwiftProtobuf
internal import Synchronization

/// A call of `SumNumbers`: send numbers, close, and receive their sum.
///
/// Sending waits while the server, or the network, is behind. Several tasks may send at once.
public struct SumNumbersCall: Sendable {
    private let exchange: SumNumbersExchange
    private let wake: @Sendable () -> Void
    private let cancelCall: @Sendable () -> Void

    /// Bytes of numbers that are handed over together: about 12,000 numbers.
    private static let batchSize = 128 << 10

    init(
        exchange: SumNumbersExchange, wake: @escaping @Sendable () -> Void,
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
        return try outcome.get()
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

/// The event loop's side of a `SumNumbersCall`.
final class SumNumbersExchange: ClientCallHandler {
    typealias Outcome = Result<Int32, GRPCStatus>

    let pipe = MessagePipe()

    private struct Response {
        var reader: MessageReader
        var sum: Int32?
        var messageCount = 0
        var outcome: Outcome?
        var waiters: [CheckedContinuation<Outcome, Never>] = []
    }

    private let response: Mutex<Response>

    init(maximumMessageLength: Int) {
        response = Mutex(Response(reader: MessageReader(maximumLength: maximumMessageLength)))
    }

    func outcome() async -> Outcome {
        await withCheckedContinuation { continuation in
            let outcome = response.withLock { response in
                if response.outcome == nil { response.waiters.append(continuation) }
                return response.outcome
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }

    func fill(_ frame: inout OutputRawSpan) -> ClientCallProgress {
        pipe.fill(&frame)
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        try response.withLock { response throws(GRPCStatus) in
            var bytes = bytes
            let count = bytes.readableBytes
            while let message = try response.reader.next(from: &bytes) {
                response.messageCount += 1
                response.sum = try Tutorial_NumberResponse(received: message).sum
            }
            return count
        }
    }

    func end(_ status: GRPCStatus) {
        let allWasSent = pipe.isDrained
        let (outcome, waiters) = response.withLock { response in
            let outcome = Self.judge(status, response, allWasSent: allWasSent)
            response.outcome = outcome
            defer { response.waiters = [] }
            return (outcome, response.waiters)
        }
        switch outcome {
        case .success: pipe.end(GRPCStatus(code: .failedPrecondition, message: "the call has ended"))
        case .failure(let status): pipe.end(status)
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    /// A sum counts only if the call ended well, with exactly one message, and after all numbers had been sent.
    private static func judge(_ status: GRPCStatus, _ response: Response, allWasSent: Bool) -> Outcome {
        guard status.isOK else { return .failure(status) }
        do {
            try response.reader.finish()
        } catch {
            return .failure(error)
        }
        guard let sum = response.sum, response.messageCount == 1 else {
            return .failure(
                .init(
                    code: .unimplemented,
                    message: "the server answered with \(response.messageCount) messages where one was due"))
        }
        guard allWasSent else {
            return .failure(
                .init(code: .internalError, message: "the server answered before it had read all the numbers")
            )
        }
        return .success(sum)
    }
}
