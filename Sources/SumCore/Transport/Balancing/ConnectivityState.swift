/// The state of a client, or of one of its subchannels (grpc/doc/connectivity-semantics-and-api.md).
public enum ConnectivityState: Hashable, Sendable {
    /// There is no connection, and nobody has asked for one.
    case idle
    /// A connection is being established.
    case connecting
    /// There is a connection, and its server takes calls.
    case ready
    /// Connecting has failed. The client tries again after a pause.
    case transientFailure
    /// The client has been closed.
    case shutdown
}
