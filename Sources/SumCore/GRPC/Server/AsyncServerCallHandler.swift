internal import NIOCore
internal import Tracing

/// Turns a handler written with async/await into one of the lowest form: hands the bytes that come to the handler's
/// task.
final class AsyncServerCallHandler: ServerCallHandler {
    private let call: AsyncServerCall
    private let task: Task<Void, Never>

    /// - Parameter body: serves the call. A `GRPCStatus` it throws is how the call ends; another error ends it
    ///   with UNKNOWN (grpc/doc/statuscodes.md).
    init(context: ServerCallContext, _ body: @escaping @Sendable (AsyncServerCall) async throws -> Void) {
        let call = AsyncServerCall(context: context)
        self.call = call
        task = Task {
            do {
                if let instrumentation = context.instrumentation {
                    try await InstrumentationContext.withValue(instrumentation) { try await body(call) }
                } else {
                    try await body(call)
                }
                call.complete(.ok)
            } catch {
                call.complete(GRPCStatus(thrown: error))
            }
        }
    }

    /// The task may take no notice of being cancelled.
    var outlivesStream: Bool { true }
    var messageCounts: MessageCounts? { call.messageCounts }

    func receive(_ bytes: ByteBuffer) -> ServerReply {
        do {
            try call.receive(bytes)
            return ServerReply()
        } catch {
            return refuse(error)
        }
    }

    func receiveEnd() -> ServerReply {
        do {
            try call.receiveEnd()
            return ServerReply()
        } catch {
            return refuse(error)
        }
    }

    private func refuse(_ status: GRPCStatus) -> ServerReply {
        cancel(status)
        return ServerReply(end: status)
    }

    func cancel(_ reason: GRPCStatus) {
        call.end(reason)
        task.cancel()
    }

    func sent(_ byteCount: Int) {
        call.sent(byteCount)
    }
}
