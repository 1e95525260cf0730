internal import NIOCore
internal import SwiftProtobuf

/// A call of `SumNumbers`: send numbers, close, and receive their sum.
///
/// Sending waits while the server, or the network, is behind. Several tasks may send at once.
public struct SumNumbersCall: Sendable {
    private let call: GRPCClientCall<Tutorial_NumberRequest, Tutorial_NumberResponse>

    /// Bytes of numbers that are handed over together: about 6,000 numbers.
    private static let batchSize = 64 << 10
    /// Numbers that are compressed before any of them is handed over.
    private static let compressedBatch = 4096

    init(_ call: GRPCClientCall<Tutorial_NumberRequest, Tutorial_NumberResponse>) {
        self.call = call
    }

    private var isCompressed: Bool { call.writer.compression != .identity }

    /// Sends one number. It leaves at once, together with others that are waiting.
    ///
    /// - Throws: the `GRPCStatus` of the call if it has ended.
    public func send(_ number: Int32) async throws(GRPCStatus) {
        guard !isCompressed else { return try await sendCompressed([number]) }
        let written = try call.exchange.pipe.write(maxLength: NumberEncoder.maxLength) { frame in
            let one: InlineArray<1, Int32> = [number]
            _ = NumberEncoder.append(one.span, to: &frame)
        }
        await call.settle(written)
    }

    /// Sends many numbers.
    ///
    /// - Throws: the `GRPCStatus` of the call if it has ended.
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
            let left = (numbers.count - sent) * NumberEncoder.maxLength
            batch.writeWithOutputRawSpan(minimumWritableBytes: min(Self.batchSize, left)) { frame in
                sent += NumberEncoder.append(numbers.span.extracting(sent...), to: &frame)
            }
            await call.settle(try call.exchange.pipe.write(batch))
        }
    }

    /// gRPC compresses message by message, which makes numbers longer, not shorter.
    private func sendCompressed(_ numbers: ArraySlice<Int32>) async throws(GRPCStatus) {
        try await call.send { batch throws(GRPCStatus) in
            for number in numbers {
                let message = Tutorial_NumberRequest.with { $0.num = number }
                try call.writer.write(try message.serialized(), to: &batch)
            }
        }
    }

    /// Ends the stream of numbers and waits for the sum.
    ///
    /// - Throws: the `GRPCStatus` of the call unless it ended well, with exactly one sum. A sum that came before
    ///   all numbers had been sent does not take them all into account, and is INTERNAL.
    public func closeAndReceive() async throws(GRPCStatus) -> Int32 {
        let response = try await call.closeAndReceive()
        // The one response of a call that ended well has been given out after the call's end.
        guard await call.exchange.ended().everythingWasSent else { throw .answeredTooEarly }
        return response.sum
    }

    /// Waits until the call has ended, in whichever way, without closing the stream of numbers.
    ///
    /// - Returns: the status the call ended with; INTERNAL if it ended well before all numbers had been sent.
    public func ended() async -> GRPCStatus {
        let end = await call.exchange.ended()
        return end.status.isOK && !end.everythingWasSent ? .answeredTooEarly : end.status
    }

    /// The address of the server, such as `127.0.0.1:50051`, as soon as the call has a connection.
    ///
    /// - Returns: nil if the call ended without one.
    public func peer() async -> Peer? {
        await call.peer()
    }

    /// Gives the call up: the server is told (RST_STREAM CANCEL), and whoever waits for it gets CANCELLED.
    public func cancel() {
        call.cancel()
    }
}

extension GRPCStatus {
    static let answeredTooEarly = GRPCStatus(
        code: .internalError, message: "the server answered before everything was sent to it")
}
