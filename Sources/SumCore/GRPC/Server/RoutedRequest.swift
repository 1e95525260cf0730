/// A header list that became a call, and what it means.
struct RoutedRequest {
    var fields: [HTTP2Field]
    var request: GRPCRequestHead
    var method: GRPCMethod
    let head: CallHead
}
