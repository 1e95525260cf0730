/// How a call ended, from the client's side.
struct ClientCallEnd: Hashable, Sendable {
    var status: GRPCStatus
    /// The metadata that the server sent with the status.
    var trailers = GRPCMetadata()
    /// `grpc-retry-pushback-ms`: the server's instruction about retries (grpc/proposal A6).
    var pushback: String?
    var reach = Reach.maybeSeen
    /// Whether the whole request, including END_STREAM, had left on the stream that ended.
    var everythingWasSent = false

    /// How far a failed call got (grpc/proposal A6, "Transparent Retries").
    enum Reach {
        /// Its HEADERS never left the client.
        case notSentOnWire
        /// The server refused it before any method saw it.
        case notSeenByServer
        /// A method may have seen it.
        case maybeSeen
        /// The response had begun, or may have: the connection ended because of what the server sent.
        case answered
    }
}
