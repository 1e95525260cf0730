/// How a call ended for its client.
struct ClientCallEnd: Hashable, Sendable {
    var status: GRPCStatus
    /// What the server sent with the status.
    var trailers = GRPCMetadata()
    /// `grpc-retry-pushback-ms`: what the server says about trying again (grpc/proposal A6).
    var pushback: String?
    var reach = Reach.maybeSeen
    /// Whether the whole request, END_STREAM included, had left on the stream that ended.
    var everythingWasSent = false

    /// How far a call came that failed (grpc/proposal A6, "Transparent Retries").
    enum Reach {
        /// Its HEADERS never left the client.
        case notSentOnWire
        /// The server refused it before any method saw it.
        case notSeenByServer
        /// A method may have seen it.
        case maybeSeen
        /// The server had begun its answer, or may have: the connection ended because of what it sent.
        case answered
    }
}
