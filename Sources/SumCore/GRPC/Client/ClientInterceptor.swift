/// Sees each client call before it begins: for credentials, trace context, or limits shared by many calls.
public protocol ClientInterceptor: Sendable {
    /// Changes what is sent with a call, or refuses the call.
    ///
    /// Called once per call, not per attempt, on the thread that begins the call. Interceptors run in the order in
    /// which they were given.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - options: the call's deadline, metadata and other options.
    /// - Throws: the status that the call ends with; nothing is sent.
    func prepare(_ path: String, _ options: inout GRPCCallOptions) throws(GRPCStatus)
}
