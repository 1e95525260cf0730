internal import NIOCore
internal import SwiftProtobuf
internal import Synchronization

/// The event loop's side of a call that has one response: sends what is put into its pipe, and collects the
/// response.
final class SingleResponseExchange<Response: Message>: ClientCallHandler {
    typealias Outcome = Result<Response, GRPCStatus>

    let pipe = MessagePipe()

    private struct State {
        var reader: MessageReader
        var response: Response?
        var messageCount = 0
        var outcome: Outcome?
        var waiters: [CheckedContinuation<Outcome, Never>] = []
    }

    private let state: Mutex<State>

    init(maximumMessageLength: Int) {
        state = Mutex(State(reader: MessageReader(maximumLength: maximumMessageLength)))
    }

    /// Waits until the call has ended.
    func outcome() async -> Outcome {
        await withCheckedContinuation { continuation in
            let outcome = state.withLock { state in
                if state.outcome == nil { state.waiters.append(continuation) }
                return state.outcome
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }

    func fill(_ frame: inout OutputRawSpan) -> ClientCallProgress {
        pipe.fill(&frame)
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        try state.withLock { state throws(GRPCStatus) in
            var bytes = bytes
            let count = bytes.readableBytes
            while let message = try state.reader.next(from: &bytes) {
                state.messageCount += 1
                state.response = try Response(received: message)
            }
            return count
        }
    }

    func end(_ status: GRPCStatus) {
        let allWasSent = pipe.isDrained
        let (outcome, waiters) = state.withLock { state in
            let outcome = Self.judge(status, state, allWasSent: allWasSent)
            state.outcome = outcome
            defer { state.waiters = [] }
            return (outcome, state.waiters)
        }
        switch outcome {
        case .success: pipe.end(GRPCStatus(code: .failedPrecondition, message: "the call has ended"))
        case .failure(let status): pipe.end(status)
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    /// A response counts only if the call ended well, with exactly one message, and after all had been sent:
    /// one that came earlier did not take everything into account.
    private static func judge(_ status: GRPCStatus, _ state: State, allWasSent: Bool) -> Outcome {
        guard status.isOK else { return .failure(status) }
        do {
            try state.reader.finish()
        } catch {
            return .failure(error)
        }
        guard let response = state.response, state.messageCount == 1 else {
            return .failure(
                .init(
                    code: .unimplemented,
                    message: "the server answered with \(state.messageCount) messages where one was due"))
        }
        guard allWasSent else {
            return .failure(
                .init(code: .internalError, message: "the server answered before everything was sent to it"))
        }
        return .success(response)
    }
}
