/// Sees each call of a client before it begins: for credentials, trace context, or limits that many calls share.
public protocol ClientInterceptor: Sendable {
    /// Changes what is sent with a call, or refuses it.
    ///
    /// Called once a call, not once an attempt, by whoever begins the call. Interceptors are asked in the order in which
    /// they were given.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - options: the call's deadline and metadata, among others.
    /// - Throws: the status that the call ends with, without being sent.
    func prepare(_ path: String, _ options: inout GRPCCallOptions) throws(GRPCStatus)
}
