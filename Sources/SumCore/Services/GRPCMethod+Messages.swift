internal import NIOCore
public import SwiftProtobuf

extension GRPCMethod {
    /// A method that takes one message and gives one back.
    public static func unary<Request: Message, Response: Message>(
        path: String, _ handler: @escaping @Sendable (Request, AsyncServerCall) async throws -> Response
    ) -> GRPCMethod {
        GRPCMethod(path: path) { context in
            AsyncCallHandler(context: context) { call in
                try await call.send(message: handler(call.onlyMessage(), call))
            }
        }
    }

    /// A method that takes any number of messages and gives one back.
    public static func clientStreaming<Request: Message, Response: Message>(
        path: String,
        _ handler: @escaping @Sendable (GRPCRequests<Request>, AsyncServerCall) async throws -> Response
    ) -> GRPCMethod {
        GRPCMethod(path: path) { context in
            AsyncCallHandler(context: context) { call in
                try await call.send(message: handler(GRPCRequests(call: call), call))
            }
        }
    }

    /// A method that takes one message and gives back any number.
    public static func serverStreaming<Request: Message, Response: Message>(
        path: String,
        _ handler:
            @escaping @Sendable (Request, GRPCResponses<Response>, AsyncServerCall) async throws -> Void
    ) -> GRPCMethod {
        GRPCMethod(path: path) { context in
            AsyncCallHandler(context: context) { call in
                try await handler(call.onlyMessage(), GRPCResponses(call: call), call)
            }
        }
    }

    /// A method that takes and gives any number of messages, in any order.
    public static func bidirectionalStreaming<Request: Message, Response: Message>(
        path: String,
        _ handler:
            @escaping @Sendable (GRPCRequests<Request>, GRPCResponses<Response>, AsyncServerCall) async throws
            -> Void
    ) -> GRPCMethod {
        GRPCMethod(path: path) { context in
            AsyncCallHandler(context: context) { call in
                try await handler(GRPCRequests(call: call), GRPCResponses(call: call), call)
            }
        }
    }
}

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

extension AsyncServerCall {
    fileprivate func send(message: some Message) async throws(GRPCStatus) {
        try await send(message.serialized())
    }

    /// The message of a request that has exactly one. Another number is UNIMPLEMENTED (grpc/doc/statuscodes.md).
    fileprivate func onlyMessage<Request: Message>() async throws(GRPCStatus) -> Request {
        guard let bytes = try await next(), try await next() == nil else {
            throw GRPCStatus(code: .unimplemented, message: "the method takes exactly one message")
        }
        return try Request(received: bytes)
    }
}

extension Message {
    /// - Throws: INTERNAL for a message that cannot be encoded, such as one of 2 GiB.
    func serialized() throws(GRPCStatus) -> [UInt8] {
        do {
            return try serializedBytes()
        } catch {
            let reason =
                error as? BinaryEncodingError == .missingRequiredFields
                ? "required fields are missing" : "it is too large"
            throw GRPCStatus(
                code: .internalError, message: "a \(Self.protoMessageName) cannot be encoded: \(reason)")
        }
    }

    /// - Throws: INTERNAL for bytes that are not such a message (grpc/doc/statuscodes.md).
    init(received bytes: ByteBuffer) throws(GRPCStatus) {
        do {
            try self.init(serializedBytes: [UInt8](bytes.readableBytesView))
        } catch {
            throw GRPCStatus(
                code: .internalError,
                message: "a message is not a \(Self.protoMessageName): \(Self.words(for: error))")
        }
    }

    /// What swift-protobuf names by its own enum.
    private static func words(for error: any Error) -> String {
        switch error as? BinaryDecodingError {
        case .truncated: "it ends within a field"
        case .invalidUTF8: "a string in it is not UTF-8"
        case .messageDepthLimit: "it is nested too deeply"
        default: "its encoding is malformed"
        }
    }
}
