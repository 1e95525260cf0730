/// The bearer token that a client sends with each call (RFC 6750), in the field `authorization`.
///
/// It is sent over private connections alone: TLS and Unix domain sockets. Over another, a call ends with `notPrivate`
/// before anything of it is sent. No description shows the token.
public struct CallCredentials: Sendable, CustomStringConvertible, CustomReflectable {
    private let read: @Sendable () throws -> String
    /// Whether the token is also sent in clear text to a loopback address, although another user's process may listen
    /// there. Never through a proxy.
    public var allowsLoopback = false

    /// Creates credentials with one token.
    public init(token: String) {
        read = { token }
    }

    /// Creates credentials whose token may change: `read` is called for each call, on the thread that makes it. An error
    /// ends the call with UNAUTHENTICATED, and its text is the message.
    public init(reading read: @escaping @Sendable () throws -> String) {
        self.read = read
    }

    /// How a call ends over a connection to which a token is not sent.
    package static let notPrivate = GRPCStatus(
        code: .unauthenticated,
        message:
            "the token is not sent over a connection that others can read: use TLS or a Unix domain socket")

    func token() throws(GRPCStatus) -> BearerToken {
        let text: String
        do {
            text = try read()
        } catch {
            if let status = error as? GRPCStatus, !status.isOK { throw status }
            throw GRPCStatus(code: .unauthenticated, message: "\(error)")
        }
        guard let token = BearerToken(text) else {
            throw GRPCStatus(
                code: .unauthenticated,
                message: "the token has other characters than letters, digits and -._~+/, and = at its end")
        }
        return token
    }

    /// Nothing of the token.
    public var description: String { "a bearer token" }
    /// Nothing of the token.
    public var customMirror: Mirror { Mirror(self, children: ["allowsLoopback": allowsLoopback]) }
}
