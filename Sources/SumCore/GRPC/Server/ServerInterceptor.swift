/// Stands between the connection and the methods of a server: for authorization, or for anything that many methods need.
///
/// An interceptor sees each call that names a hosted method, in the order in which the interceptors were given: the first
/// one is the outermost.
public protocol ServerInterceptor: Sendable {
    /// Serves a call, mostly by passing it on.
    ///
    /// Called on the event loop of the connection, where it must never wait; what takes time belongs into the handler's
    /// task.
    ///
    /// - Parameters:
    ///   - context: what is known of the call. What is passed on may be changed.
    ///   - next: makes the handler of the method, or asks the next interceptor.
    /// - Returns: the handler that `next` made, or one that wraps it. A wrapper must pass on every member of
    ///   `ServerCallHandler`, also those that have a default. Without `outlivesStream`, a client may have more handlers at
    ///   work than calls; without `sent`, a handler with much to send waits for ever; without `receive(_:within:)`, slow
    ///   work takes no turns.
    /// - Throws: the status that the call ends with; the client gets it at once, and the method never sees the call. If
    ///   `next` has made a handler, that is cancelled.
    func intercept(
        _ context: ServerCallContext,
        next: (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
    ) throws(GRPCStatus) -> any ServerCallHandler
}

extension GRPCMethod {
    /// The method behind interceptors, of which the first is the outermost.
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
