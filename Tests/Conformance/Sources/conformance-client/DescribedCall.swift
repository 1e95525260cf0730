import ConformanceMessages
import SumCore
import SwiftProtobuf

/// One call, made as the runner's request describes it: what is sent and when, and when the call is cancelled.
///
/// A call that has been cancelled goes on as if it had not been, since it is the library that has to end it.
struct DescribedCall<Request: Message, Response: PayloadCarrier> {
    private let request: ClientCompatRequest
    private let messages: [Request]
    private let call: GRPCClientCall<Request, Response>
    private var result = ClientResponseResult()

    init(
        _ request: ClientCompatRequest, _ messages: [Request], _ call: GRPCClientCall<Request, Response>
    ) {
        self.request = request
        self.messages = messages
        self.call = call
    }

    mutating func run() async -> ClientResponseResult {
        do throws(GRPCStatus) {
            try await sendAll()
            await finish()
            try await receiveRest()
        } catch {
            result.error = Google_Rpc_Status(error)
        }
        if let metadata = try? await call.responseMetadata() { result.responseHeaders = metadata.headers }
        result.responseTrailers = await call.ended().trailers.headers
        return result
    }

    /// Sends the messages. If the call ends before all are sent, receiving shows its status.
    private mutating func sendAll() async throws(GRPCStatus) {
        for (index, message) in messages.enumerated() {
            await pause(request.requestDelayMs)
            do throws(GRPCStatus) {
                try await call.send(message)
            } catch {
                result.numUnsentRequests = Int32(clamping: messages.count - index)
                return
            }
            if request.streamType == .fullDuplexBidiStream {
                guard try await receiveOne() else { return }
            }
        }
    }

    private func finish() async {
        if case .beforeCloseSend = request.cancel.timing { call.cancel() }
        call.finish()
        guard request.hasCancel else { return }
        switch request.cancel.timing {
        case .afterCloseSendMs(let delay): cancel(after: delay)
        case nil: cancel(after: 0)
        case .beforeCloseSend, .afterNumResponses: break
        }
    }

    private func cancel(after milliseconds: UInt32) {
        Task { [call] in
            await pause(milliseconds)
            call.cancel()
        }
    }

    private mutating func receiveRest() async throws(GRPCStatus) {
        switch request.streamType {
        case .unary, .clientStream:
            result.payloads = [try await call.closeAndReceive().payload]
        default:
            while try await receiveOne() {}
        }
    }

    /// - Returns: false when there are no more responses.
    private mutating func receiveOne() async throws(GRPCStatus) -> Bool {
        guard let response = try await call.next() else { return false }
        result.payloads.append(response.payload)
        if request.cancel.timing == .afterNumResponses(UInt32(result.payloads.count)) { call.cancel() }
        return true
    }

    private func pause(_ milliseconds: UInt32) async {
        try? await Task.sleep(for: .milliseconds(milliseconds))
    }
}
