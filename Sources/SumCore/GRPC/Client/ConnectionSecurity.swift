/// Who else may read what is sent over a client's connection, or have its address.
enum ConnectionSecurity: Hashable, Sendable {
    /// TLS, to a server whose certificate has been verified.
    case tls
    /// A Unix domain socket: what has its file is protected by the file's permissions.
    case unix
    /// Clear text that does not leave the machine. Another user's process may have the port.
    case loopback
    /// Clear text over a network, or through a proxy.
    case clear
}
