/// Why a server has closed a connection before serving it. The values are names for metrics.
public enum ConnectionRefusal: String, Error, CaseIterable, Sendable {
    /// The server is shutting down.
    case draining
    /// The server has as many connections as it may have.
    case tooManyConnections = "too_many_connections"
    /// The client's address has as many connections as it may have.
    case tooManyOfPeer = "too_many_connections_of_peer"
    /// The client's address has connected too often of late.
    case tooManyNewOfPeer = "too_many_new_connections_of_peer"
    /// The PROXY protocol header was missing, malformed or late.
    case noProxyHeader = "no_proxy_header"
    /// The connection could not be set up.
    case setupFailed = "setup_failed"
}
