public import SwiftProtobuf

extension GRPCMethod {
    /// A method that takes one message and gives one back.
    public static func unary<Request: Message, Response: Message>(
        path: String, _ handler: @escaping @Sendable (Request, AsyncServerCall) async throws -> Response
    ) -> GRPCMethod {
        GRPCMethod(path: path) { context in
            AsyncServerCallHandler(context: context) { call in
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
            AsyncServerCallHandler(context: context) { call in
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
            AsyncServerCallHandler(context: context) { call in
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
            AsyncServerCallHandler(context: context) { call in
                try await handler(GRPCRequests(call: call), GRPCResponses(call: call), call)
            }
        }
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
