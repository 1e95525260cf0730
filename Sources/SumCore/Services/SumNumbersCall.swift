internal import NIOCore
internal import SwiftProtobuf

/// A call of `SumNumbers`: send numbers, then close and receive their sum.
///
/// Sending waits while the server or the network is slow. Several tasks may send at once.
public struct SumNumbersCall: Sendable {
    private let call: GRPCClientCall<Tutorial_NumberRequest, Tutorial_NumberResponse>

    /// Bytes of numbers that are queued together: about 6,000 numbers.
    private static let batchSize = 64 << 10
    /// Numbers that are compressed before they are queued together.
    private static let compressedBatch = 4096

    init(_ call: GRPCClientCall<Tutorial_NumberRequest, Tutorial_NumberResponse>) {
        self.call = call
    }

    private var isCompressed: Bool { call.writer.compression != .identity }

    /// Sends one number. It leaves at once, together with others that are queued. Waits while 512 KiB are queued.
    ///
    /// - Throws: the status of the call if it has ended; FAILED_PRECONDITION after `closeAndReceive`.
    public func send(_ number: Int32) async throws(GRPCStatus) {
        guard !isCompressed else { return try await sendCompressed([number]) }
        let written = try call.exchange.pipe.write(maxLength: NumberEncoder.maxLength) { frame in
            let one: InlineArray<1, Int32> = [number]
            _ = NumberEncoder.append(one.span, to: &frame)
        }
        await call.settle(written)
    }

    /// Sends many numbers, much faster than one by one. Waits while 512 KiB are queued.
    ///
    /// - Throws: the status of the call if it has ended; FAILED_PRECONDITION after `closeAndReceive`.
    public func send(contentsOf numbers: [Int32]) async throws(GRPCStatus) {
        guard !isCompressed else {
            for start in stride(from: 0, to: numbers.count, by: Self.compressedBatch) {
                try await sendCompressed(numbers[start...].prefix(Self.compressedBatch))
            }
            return
        }
        var sent = 0
        while sent < numbers.count {
            var batch = call.exchange.pipe.takeSpare()
            let before = sent
            let left = (numbers.count - sent) * NumberEncoder.maxLength
            batch.writeWithOutputRawSpan(minimumWritableBytes: min(Self.batchSize, left)) { frame in
                sent += NumberEncoder.append(numbers.span.extracting(sent...), to: &frame)
            }
            await call.settle(try call.exchange.pipe.write(batch, messageCount: sent - before))
        }
    }

    /// Sends numbers compressed. gRPC compresses each message separately, which makes numbers longer, not shorter.
    private func sendCompressed(_ numbers: ArraySlice<Int32>) async throws(GRPCStatus) {
        try await call.send(count: numbers.count) { batch throws(GRPCStatus) in
            for number in numbers {
                let message = Tutorial_NumberRequest.with { $0.num = number }
                try call.writer.write(try message.serialized(), to: &batch)
            }
        }
    }

    /// Ends the stream of numbers and waits for the sum.
    ///
    /// - Throws: the status of the call if it is not OK; UNIMPLEMENTED for no or several responses; INTERNAL for a sum
    ///   that arrived before all numbers had been sent, because it cannot include them.
    public func closeAndReceive() async throws(GRPCStatus) -> Int32 {
        let response = try await call.closeAndReceive()
        // The only response of a call is returned after the end of the call, so this does not wait.
        guard await call.exchange.ended().everythingWasSent else { throw .answeredTooEarly }
        return response.sum
    }

    /// Waits until the call has ended, for whatever reason, without closing the stream of numbers.
    ///
    /// - Returns: the status of the call; INTERNAL if it ended with OK before all numbers had been sent.
    public func ended() async -> GRPCStatus {
        let end = await call.exchange.ended()
        return end.status.isOK && !end.everythingWasSent ? .answeredTooEarly : end.status
    }

    /// The address of the server, such as `127.0.0.1:50051`. Waits until the call has a connection.
    ///
    /// - Returns: nil if the call ended without a connection.
    public func peer() async -> Peer? {
        await call.peer()
    }

    /// Cancels the call: the server gets RST_STREAM(CANCEL), and tasks that wait for the call get CANCELLED. Has no
    /// effect after the end of the call.
    public func cancel() {
        call.cancel()
    }
}

extension GRPCStatus {
    static let answeredTooEarly = GRPCStatus(
        code: .internalError, message: "the server responded before the whole request was sent")
}
