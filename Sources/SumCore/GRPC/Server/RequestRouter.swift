/// Finds the method that a request calls, and its parameters.
struct RequestRouter {
    let methods: [String: GRPCMethod]
    /// The last request; the next is usually the same.
    private var lastRequest: RoutedRequest?

    init(methods: [String: GRPCMethod]) {
        self.methods = methods
    }

    mutating func route(_ fields: [HTTP2Field]) throws(GRPCRequestHead.Rejection) -> RoutedRequest {
        if let lastRequest, lastRequest.fields == fields { return lastRequest }
        let request = try GRPCRequestHead(received: fields)
        guard let method = methods[request.path] else {
            throw GRPCRequestHead.Rejection(
                .unimplemented, "there is no method '\(request.path.escapedForDisplay)' here")
        }
        let routed = RoutedRequest(fields: fields, request: request, method: method)
        lastRequest = routed
        return routed
    }

    /// Releases the last request, and what it knows of the connection.
    mutating func forgetLastRequest() {
        lastRequest = nil
    }
}
