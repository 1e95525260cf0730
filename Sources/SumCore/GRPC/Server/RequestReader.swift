/// Finds out which method a request calls, and how.
struct RequestReader {
    let methods: [String: GRPCMethod]
    /// The last request, since the next is mostly the same.
    private var lastRequest: KnownRequest?

    init(methods: [String: GRPCMethod]) {
        self.methods = methods
    }

    mutating func understand(_ fields: [HTTP2Field]) throws(GRPCRequest.Rejection) -> KnownRequest {
        if let lastRequest, lastRequest.fields == fields { return lastRequest }
        let request = try GRPCRequest(received: fields)
        guard let method = methods[request.path] else {
            throw GRPCRequest.Rejection(
                .unimplemented, "there is no method '\(PeerText.printable(request.path))' here")
        }
        let known = KnownRequest(fields: fields, request: request, method: method)
        lastRequest = known
        return known
    }
}
