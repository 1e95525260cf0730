internal import NIOCore
public import SwiftProtobuf

/// A connection to a gRPC server, for any number of calls at once.
public final class GRPCClient: Sendable {
    /// The address connected to, such as `127.0.0.1:50051`.
    public let peer: String

    private let channel: any Channel
    private let connection: NIOLoopBound<ClientConnection>
    private let authority: String

    private init(_ connected: Connector.Connected, authority: String) {
        channel = connected.channel
        connection = connected.connection
        self.authority = authority
        peer = channel.remoteAddress.map(ListenAddress.describe) ?? authority
    }

    /// Connects, and waits until the server is ready for calls.
    ///
    /// All addresses of the target are tried, IPv6 and IPv4 at once (RFC 8305). A connection that is refused is
    /// tried again, with pauses that grow, until the time is up; so a server may still be starting.
    ///
    /// - Parameters:
    ///   - target: the server.
    ///   - timeout: how long to try.
    /// - Throws: UNAVAILABLE, with the reason for every address, when the time is up or it is no use to try on.
    public static func connect(
        to target: Target, timeout: Duration = .seconds(2)
    ) async throws(GRPCStatus) -> GRPCClient {
        let connected = try await Connector(target: target, limit: timeout).connect()
        return GRPCClient(connected, authority: target.authority)
    }

    /// Bytes of the longest message accepted.
    private static let maximumMessageLength = 4 << 20

    /// Asks the standard health service for the status of a service, or with the empty name of the server.
    ///
    /// - Throws: NOT_FOUND for a service that the server does not know, UNIMPLEMENTED if it has no health service,
    ///   and any other `GRPCStatus` the call ends with.
    public func checkHealth(
        of service: String = "", timeout: Duration? = nil, metadata: GRPCMetadata = .init()
    ) async throws(GRPCStatus) -> Health.ServingStatus {
        let request = Grpc_Health_V1_HealthCheckRequest.with { $0.service = service }
        let response: Grpc_Health_V1_HealthCheckResponse = try await unary(
            path: Health.checkPath, request, timeout: timeout, metadata: metadata)
        switch response.status {
        case .serving: return .serving
        case .serviceUnknown: return .unknownService
        case .notServing, .unknown, .UNRECOGNIZED: return .notServing
        }
    }

    /// Calls a method that takes one message and gives one back.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - timeout: the call's deadline, from now.
    ///   - metadata: sent along with the request.
    /// - Throws: the `GRPCStatus` of the call unless it ended well, with exactly one response.
    public func unary<Request: Message, Response: Message>(
        path: String, _ request: Request, timeout: Duration? = nil, metadata: GRPCMetadata = .init()
    ) async throws(GRPCStatus) -> Response {
        let exchange = SingleResponseExchange<Response>(maximumMessageLength: Self.maximumMessageLength)
        var message = ByteBuffer()
        message.writeMessage(try request.serialized())
        _ = try exchange.pipe.write(message)
        _ = exchange.pipe.finish()
        let call = start(path: path, timeout: timeout, metadata: metadata, handler: exchange)
        return try await withTaskCancellationHandler {
            await exchange.outcome()
        } onCancel: {
            call.cancel()
        }.get()
    }

    /// Begins a call of `SumNumbers`.
    ///
    /// - Parameters:
    ///   - timeout: the call's deadline, from now: when it has passed, the call ends with DEADLINE_EXCEEDED.
    ///   - metadata: sent along with the request.
    public func sumNumbers(timeout: Duration? = nil, metadata: GRPCMetadata = .init()) -> SumNumbersCall {
        let exchange = SingleResponseExchange<Tutorial_NumberResponse>(
            maximumMessageLength: Self.maximumMessageLength)
        let call = start(path: SumNumbers.path, timeout: timeout, metadata: metadata, handler: exchange)
        return SumNumbersCall(exchange: exchange, wake: call.wake, cancel: call.cancel)
    }

    func start(
        path: String, timeout: Duration?, metadata: GRPCMetadata, handler: any ClientCallHandler
    ) -> (wake: @Sendable () -> Void, cancel: @Sendable () -> Void) {
        let request = GRPCRequest(
            path: path, authority: authority, timeout: timeout, userAgent: Version.userAgent,
            metadata: metadata)
        let reference = NIOLoopBoundBox.makeBoxSendingValue(
            Optional<ClientStream>.none, eventLoop: channel.eventLoop)
        let connection = connection
        let loop = channel.eventLoop
        loop.execute { reference.value = connection.value.start(request, handler: handler) }
        return (
            wake: { loop.execute { if let stream = reference.value { connection.value.resume(stream) } } },
            cancel: {
                loop.execute {
                    guard let stream = reference.value else { return }
                    connection.value.cancel(
                        stream, GRPCStatus(code: .cancelled, message: "the call was cancelled"))
                }
            }
        )
    }

    /// How long a server that has stopped reading may delay the end of its connection.
    private static let closeLimit = TimeAmount.milliseconds(500)

    /// Ends the connection. Calls still open end with CANCELLED.
    public func close() async {
        let connection = connection
        channel.eventLoop.execute { connection.value.shutDown(within: Self.closeLimit) }
        try? await channel.closeFuture.get()
    }
}
