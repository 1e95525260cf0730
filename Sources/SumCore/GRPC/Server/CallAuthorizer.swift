/// Decides who may make a call, before anything is looked at that the call's messages contain
/// (`GRPCServer.Configuration.authorize`).
///
/// A decision is made once, when the call begins. It ends with the principal, the name under which handlers and
/// observers know the caller (`Peer.principal`), or nil for a caller without a name; or it throws the status with which
/// the call is refused. Any other error counts as UNAUTHENTICATED, and its text is not sent.
///
/// A client that is refused too often in a row loses its connection (`maxRefusedCalls`), if the code is UNAUTHENTICATED
/// or PERMISSION_DENIED.
public struct CallAuthorizer: Sendable {
    enum Decision: Sendable {
        case immediate(@Sendable (ServerCallContext) throws -> String?)
        case deferred(@Sendable (ServerCallContext) async throws -> String?)
    }

    let decision: Decision

    /// Creates an authorizer that may wait, such as for another service.
    ///
    /// Each decision has a task, which is cancelled when the call ends without it: the client cancelled, or its deadline
    /// has passed. Until it is made, what the client sends waits within the limits of a stream.
    public init(_ decide: @escaping @Sendable (ServerCallContext) async throws -> String?) {
        decision = .deferred(decide)
    }

    /// Creates an authorizer that decides at once. It is called on the connection's event loop, and must not block.
    public init(immediately decide: @escaping @Sendable (ServerCallContext) throws -> String?) {
        decision = .immediate(decide)
    }

    /// The status with which a thrown error refuses the call; never OK, with which a call would end as if it had been made.
    static func refusal(for error: any Error) -> GRPCStatus {
        if let status = error as? GRPCStatus, !status.isOK { return status }
        return GRPCStatus(code: .unauthenticated, message: "the caller could not be authenticated")
    }
}
