import NIOCore
import Synchronization

@testable import SumCore

/// A call that sends what it is given, and collects what comes back.
final class OneShotCaller: ClientCallHandler, HTTP2Body {
    struct Outcome: Sendable {
        var messages: [[UInt8]]
        var status: GRPCStatus
        var trailers = GRPCMetadata()
    }

    private struct State {
        var request: ByteBuffer
        var reader = MessageReader(maxLength: 4 << 20)
        var messages: [[UInt8]] = []
    }

    private let state: Mutex<State>
    private let ending: AsyncStream<ClientCallEnd>
    private let end: AsyncStream<ClientCallEnd>.Continuation

    init(_ messages: [[UInt8]]) {
        state = Mutex(State(request: messages.reduce(into: ByteBuffer()) { $0.writeMessage($1) }))
        (ending, end) = AsyncStream.makeStream()
    }

    var requestBody: any HTTP2Body { self }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        state.withLock { state in
            frame.append(moving: &state.request)
            return state.request.readableBytes == 0 ? .finished(trailers: []) : .open
        }
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        try state.withLock { state throws(GRPCStatus) in
            var bytes = bytes
            let count = bytes.readableBytes
            while let message = try state.reader.next(from: &bytes) {
                state.messages.append([UInt8](message.readableBytesView))
            }
            return count
        }
    }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {}

    func end(_ end: ClientCallEnd) {
        self.end.yield(end)
    }

    func outcome() async -> Outcome {
        var endings = ending.makeAsyncIterator()
        let end = await endings.next() ?? ClientCallEnd(status: GRPCStatus(code: .unknown))
        return Outcome(messages: state.withLock { $0.messages }, status: end.status, trailers: end.trailers)
    }
}
