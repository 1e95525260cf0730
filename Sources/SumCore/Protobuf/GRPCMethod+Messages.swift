public import SwiftProtobuf

extension GRPCMethod {
    /// Creates a method with one request message and one response.
    ///
    /// The handler runs in a task of its own. When it returns, the call ends with OK. If it throws a `GRPCStatus`, the
    /// call ends with that status; a `CancellationError` becomes CANCELLED, and any other error UNKNOWN with the
    /// error's text. The task is cancelled when the client cancels the call or is lost, or the deadline passes.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - handler: gets the request and the call, and returns the response. It is called only if there is exactly one
    ///     request message; the call ends with UNIMPLEMENTED otherwise.
    public static func unary<Request: Message, Response: Message>(
        path: String, _ handler: @escaping @Sendable (Request, AsyncServerCall) async throws -> Response
    ) -> GRPCMethod {
        GRPCMethod(path: path) { context in
            AsyncServerCallHandler(context: context) { call in
                try await call.send(message: handler(call.onlyMessage(), call))
            }
        }
    }

    /// Creates a method with a stream of request messages and one response.
    ///
    /// The handler runs in a task of its own. When it returns, the call ends with OK. If it throws a `GRPCStatus`, the
    /// call ends with that status; a `CancellationError` becomes CANCELLED, and any other error UNKNOWN with the
    /// error's text. The task is cancelled when the client cancels the call or is lost, or the deadline passes.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - handler: gets the requests as a sequence, and the call, and returns the response. It need not read all
    ///     requests.
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

    /// Creates a method with one request message and a stream of responses.
    ///
    /// The handler runs in a task of its own. When it returns, the call ends with OK. If it throws a `GRPCStatus`, the
    /// call ends with that status; a `CancellationError` becomes CANCELLED, and any other error UNKNOWN with the
    /// error's text. The task is cancelled when the client cancels the call or is lost, or the deadline passes.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - handler: gets the request, a writer for the responses, and the call. It is called only if there is exactly
    ///     one request message; the call ends with UNIMPLEMENTED otherwise.
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

    /// Creates a method with a stream of requests and a stream of responses, in any order.
    ///
    /// The handler runs in a task of its own. When it returns, the call ends with OK. If it throws a `GRPCStatus`, the
    /// call ends with that status; a `CancellationError` becomes CANCELLED, and any other error UNKNOWN with the
    /// error's text. The task is cancelled when the client cancels the call or is lost, or the deadline passes.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - handler: gets the requests as a sequence, a writer for the responses, and the call.
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

    /// The message of a request with exactly one message.
    ///
    /// - Throws: UNIMPLEMENTED for no or several messages (grpc/doc/statuscodes.md).
    func onlyMessage<Request: Message>() async throws(GRPCStatus) -> Request {
        guard let bytes = try await next(), try await next() == nil else {
            throw GRPCStatus(code: .unimplemented, message: "the method takes exactly one message")
        }
        return try Request(received: bytes)
    }
}
