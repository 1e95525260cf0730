/// Observes one call of a client. It must never block.
///
/// Its methods are called on the event loop of the attempt's connection, or, at the end of a call without one, on an
/// event loop of the client; never two at the same time. Several calls may have one observer.
public protocol ClientCallObserver: AnyObject, Sendable {
    /// The ids of the call's span, for `ClientCallRecord`; nil for none. Read once, at the end of the call.
    var trace: TraceContext? { get }
    /// How many messages of each direction are reported one by one, from the first on of each attempt. Read once.
    var messageLimit: Int { get }

    /// An attempt of the call begins on a connection.
    ///
    /// - Parameter attempt: its metadata may be changed, for this attempt.
    func attemptBegan(_ attempt: inout ClientAttemptStart)
    /// A message has been passed to the connection.
    func messageSent(_ message: ObservedMessage)
    /// A message of the response has arrived. It may wait before the program gets it.
    func messageReceived(_ message: ObservedMessage)
    /// The attempt has ended. Another may follow.
    func attemptEnded(_ attempt: ClientAttemptRecord)
    /// The call has ended, after all its attempts. This is the last event.
    func ended(_ call: ClientCallRecord)
}

extension ClientCallObserver {
    public var trace: TraceContext? { nil }
    public var messageLimit: Int { 0 }
    public func attemptBegan(_ attempt: inout ClientAttemptStart) {}
    public func messageSent(_ message: ObservedMessage) {}
    public func messageReceived(_ message: ObservedMessage) {}
    public func attemptEnded(_ attempt: ClientAttemptRecord) {}
    public func ended(_ call: ClientCallRecord) {}
}

/// What is known of a call when it begins, from the client's side.
public struct ClientCallStart: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// The client's target as a URI, such as `dns:///localhost:50051`.
    public var target: String
    /// The time until the deadline; nil if there is none.
    public var timeout: Duration?
    /// The metadata of all attempts.
    public var metadata: GRPCMetadata
}

/// What is known of an attempt of a call when it begins.
public struct ClientAttemptStart: Sendable {
    /// Which attempt of the call it is; the first is 0.
    public var number: Int
    /// Earlier attempts that count as such (`grpc-previous-rpc-attempts`, grpc/proposal A6).
    public var previousAttempts: Int
    /// Whether it repeats an attempt that no method has seen, and that does not count therefore.
    public var isTransparentRetry: Bool
    /// Whether there was no connection for it when it could have begun.
    public var hadToWait: Bool
    /// How long ago the addresses of the target were found; nil if the call did not have to wait for them.
    public var timeSinceResolution: Duration?
    /// The server.
    public var peer: Peer
    /// What is sent with the request.
    public var metadata: GRPCMetadata
}
