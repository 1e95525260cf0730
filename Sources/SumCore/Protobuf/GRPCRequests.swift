public import SwiftProtobuf

/// The request messages of one call, for a single reader. A slow reader makes the client wait.
public struct GRPCRequests<Request: Message>: AsyncSequence, Sendable {
    let call: AsyncServerCall

    /// Returns an iterator over the messages that have not been read yet.
    public func makeAsyncIterator() -> Iterator {
        Iterator(call: call)
    }

    /// Reads the messages one by one.
    public struct Iterator: AsyncIteratorProtocol {
        let call: AsyncServerCall

        /// The next message. Waits for it, or for the end of the request.
        ///
        /// - Returns: nil after the client's last message.
        /// - Throws: the call's status if it has ended before that; INTERNAL or RESOURCE_EXHAUSTED for a message that
        ///   cannot be decoded.
        public mutating func next() async throws(GRPCStatus) -> Request? {
            guard let bytes = try await call.next() else { return nil }
            return try Request(received: bytes)
        }
    }
}
