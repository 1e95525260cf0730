/// A header list that became a call, and what it means.
struct KnownRequest {
    var fields: [HTTP2Field]
    var request: GRPCRequest
    var method: GRPCMethod
}
