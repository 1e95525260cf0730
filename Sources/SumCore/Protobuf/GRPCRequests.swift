public import SwiftProtobuf

/// The messages that a client sends in one call. For one reader; the client waits for it when it is slow.
public struct GRPCRequests<Request: Message>: AsyncSequence, Sendable {
    let call: AsyncServerCall

    public func makeAsyncIterator() -> Iterator {
        Iterator(call: call)
    }

    public struct Iterator: AsyncIteratorProtocol {
        let call: AsyncServerCall

        /// - Throws: the status with which the call has ended before the client's last message, and INTERNAL for
        ///   bytes that are not such a message.
        public mutating func next() async throws(GRPCStatus) -> Request? {
            guard let bytes = try await call.next() else { return nil }
            return try Request(received: bytes)
        }
    }
}
