/// A header list that became a call, with its interpretation.
struct RoutedRequest {
    var fields: [HTTP2Field]
    var request: GRPCRequestHead
    var method: GRPCMethod
    let head: CallHead
}
