/// A header list that became a call, with its interpretation.
final class RoutedRequest {
    let fields: [HTTP2Field]
    let request: GRPCRequestHead
    let method: GRPCMethod
    /// What the calls of the connection with these headers have in common; made for the first of them.
    var context: Shared<ServerCallContext.Values>?
    /// What observers are told of such a call when it begins; made for the first of them that has observers.
    var start: ServerCallStart?

    init(fields: [HTTP2Field], request: GRPCRequestHead, method: GRPCMethod) {
        self.fields = fields
        self.request = request
        self.method = method
    }
}
