/// How a call ended, from the client's side.
///
/// The calls of a connection mostly end alike. So what may differ from call to call is in the structure itself, and all else
/// in memory that they share.
struct ClientCallEnd: Hashable, Sendable {
    private var shared: Shared<Values>
    var reach: Reach
    /// Whether the whole request, including END_STREAM, had left on the stream that ended.
    var everythingWasSent: Bool

    struct Values: Hashable, Sendable {
        var status: GRPCStatus
        let trailers: GRPCMetadata
        let pushback: String?
    }

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

    init(_ shared: Shared<Values>, reach: Reach = .maybeSeen, everythingWasSent: Bool = false) {
        self.shared = shared
        self.reach = reach
        self.everythingWasSent = everythingWasSent
    }

    init(
        status: GRPCStatus, trailers: GRPCMetadata = .init(), pushback: String? = nil,
        reach: Reach = .maybeSeen, everythingWasSent: Bool = false
    ) {
        self.init(
            Shared(Values(status: status, trailers: trailers, pushback: pushback)), reach: reach,
            everythingWasSent: everythingWasSent)
    }

    var status: GRPCStatus {
        get { shared.value.status }
        set {
            var values = shared.value
            values.status = newValue
            shared = Shared(values)
        }
    }

    var isOK: Bool { shared.value.status.isOK }
    /// The metadata that the server sent with the status.
    var trailers: GRPCMetadata { shared.value.trailers }
    /// `grpc-retry-pushback-ms`: the server's instruction about retries (grpc/proposal A6).
    var pushback: String? { shared.value.pushback }

    static func == (one: ClientCallEnd, other: ClientCallEnd) -> Bool {
        one.shared.value == other.shared.value && one.reach == other.reach
            && one.everythingWasSent == other.everythingWasSent
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(shared.value)
        hasher.combine(reach)
        hasher.combine(everythingWasSent)
    }
}
