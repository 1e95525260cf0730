/// Wraps the methods of a server: for whatever many methods need. Who may call is decided before
/// (`GRPCServer.Configuration.authorize`).
///
/// An interceptor sees each call of a hosted method. The first interceptor given is the outermost.
public protocol ServerInterceptor: Sendable {
    /// Handles a call, usually by passing it on.
    ///
    /// Called on the connection's event loop; it must never block. Work that takes time belongs in the handler's task.
    ///
    /// - Parameters:
    ///   - context: describes the call. A changed copy may be passed on.
    ///   - next: makes the method's handler, or calls the next interceptor.
    /// - Returns: the handler that `next` made, or a wrapper. A wrapper must forward every member of
    ///   `ServerCallHandler`, including those with a default. Without `outlivesStream`, a client may have more running
    ///   handlers than calls; without `sent`, a handler with much to send waits forever; without `receive(_:within:)`,
    ///   slow work takes no turns.
    /// - Throws: the status that the call ends with. The client gets it at once, and the method never sees the call. If
    ///   `next` has made a handler, it is cancelled.
    func intercept(
        _ context: ServerCallContext,
        next: (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
    ) throws(GRPCStatus) -> any ServerCallHandler
}

extension GRPCMethod {
    /// Returns the method wrapped by interceptors, the first of which is the outermost.
    func intercepted(by interceptors: [any ServerInterceptor]) -> GRPCMethod {
        interceptors.reversed().reduce(self) { inner, interceptor in
            var method = inner
            method.makeHandler = { context throws(GRPCStatus) in
                var made: (any ServerCallHandler)?
                do throws(GRPCStatus) {
                    return try interceptor.intercept(context) { context throws(GRPCStatus) in
                        let handler = try inner.makeHandler(context)
                        made = handler
                        return handler
                    }
                } catch {
                    made?.cancel(error)
                    throw error
                }
            }
            return method
        }
    }
}
