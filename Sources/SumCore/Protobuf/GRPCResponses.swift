public import SwiftProtobuf

/// Writes the responses of one call.
public struct GRPCResponses<Response: Message>: Sendable {
    let call: AsyncServerCall

    /// Sends a response. Waits while more than 256 KiB of the call's responses are unsent, and while the calls of the
    /// connection together hold too much.
    ///
    /// - Parameters:
    ///   - message: the response.
    ///   - compressed: whether to compress it, if the call's responses have a compression.
    /// - Throws: the call's status if it has ended; INTERNAL if the message cannot be encoded.
    public func send(_ message: Response, compressed: Bool = true) async throws(GRPCStatus) {
        try await call.send(message.serialized(), compressed: compressed)
    }
}
