public import SwiftProtobuf

/// The messages for the client in one call.
public struct GRPCResponses<Response: Message>: Sendable {
    let call: AsyncServerCall

    /// Sends a message, and waits while the client is far behind.
    ///
    /// - Parameter compressed: whether to compress the message, if the call's responses are.
    /// - Throws: the status with which the call has ended, if it has.
    public func send(_ message: Response, compressed: Bool = true) async throws(GRPCStatus) {
        try await call.send(message.serialized(), compressed: compressed)
    }
}
