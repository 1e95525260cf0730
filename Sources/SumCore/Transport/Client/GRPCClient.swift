internal import NIOCore
public import SwiftProtobuf
internal import Synchronization

/// A client of a gRPC server, or of several with one name ("channel" in gRPC).
///
/// It has one connection for any number of concurrent calls, or one to each server (`Configuration.loadBalancing`), and
/// reconnects when one is lost.
///
/// Connections stay open until `close` is called. All methods may be called from any thread.
public final class GRPCClient: Sendable {
    private let target: Target
    private let targetURI: String
    private let userAgent: String
    /// The head of the last request; the next is usually the same.
    private let lastHead = Mutex<GRPCRequestHead?>(nil)
    let configuration: Configuration
    private let connections: ClientConnections
    /// Runs tasks on the thread that serves the client's connections.
    ///
    /// A task that prefers this executor (`withTaskExecutorPreference`) makes many short calls, or streams many
    /// numbers, at less cost, since nothing is handed between threads. It must not block, and its computations hold up
    /// the connections. If the connections have event loops of their own (`EventLoopAssignment.perConnection`), there is
    /// no such thread, and no such gain.
    public let executor: any TaskExecutor

    /// Creates a client that connects when it makes its first call.
    public convenience init(target: Target, configuration: Configuration = .init()) {
        self.init(
            target: target, configuration: configuration,
            resolver: TargetResolver(
                target: target, proxy: configuration.proxy, distinguishesHosts: configuration.tls != nil))
    }

    init(
        target: Target, configuration: Configuration, resolver: any Resolver,
        inProcess: ClientConnections.InProcessConnector? = nil
    ) {
        self.target = target
        targetURI = target.uri
        userAgent = Version.userAgent(after: configuration.userAgent)
        self.configuration = configuration
        connections = ClientConnections(
            target: target, configuration: configuration, resolver: resolver, inProcess: inProcess)
        executor = connections.executor
    }

    /// Creates a client and connects it.
    ///
    /// - Parameters:
    ///   - target: the server.
    ///   - timeout: the time to try, now and on every reconnection.
    /// - Throws: see `connect()`.
    public static func connect(
        to target: Target, timeout: Duration = .seconds(2)
    ) async throws(GRPCStatus) -> GRPCClient {
        var configuration = Configuration()
        configuration.connectTimeout = timeout
        let client = GRPCClient(target: target, configuration: configuration)
        do throws(GRPCStatus) {
            try await client.connect()
        } catch {
            await client.close()
            throw error
        }
        return client
    }

    /// Connects if there is no connection, and waits until a server is ready for calls.
    ///
    /// All addresses of the target are tried, IPv6 and IPv4 in turn, and the next after a quarter of a second of silence
    /// (RFC 8305, grpc/proposal A61). If all connections are refused, the client retries with growing pauses until the
    /// time is up, so the server may still be starting.
    ///
    /// - Returns: a connected address, such as `127.0.0.1:50051`.
    /// - Throws: UNAVAILABLE, with the reason for every address, if the time is up or retrying is pointless; CANCELLED if
    ///   the client has been closed.
    @discardableResult
    public func connect() async throws(GRPCStatus) -> String {
        try await connections.connected().peer.address
    }

    /// The state of the client's connections: ready if one of them is (grpc/doc/connectivity-semantics-and-api.md).
    public var connectivityState: ConnectivityState { connections.connectivityState }

    /// Waits until the state is another than `old`, and returns it. If the task is cancelled, returns the state at once.
    public func connectivityState(after old: ConnectivityState) async -> ConnectivityState {
        await connections.connectivityState(after: old)
    }

    // MARK: Calls

    /// Begins a call of any of the four kinds.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - options: for this call.
    ///   - sending: the type of the requests, if it does not show elsewhere.
    ///   - receiving: that of the responses.
    public func call<Request: Message, Response: Message>(
        _ path: String, options: GRPCCallOptions = .init(), sending: Request.Type = Request.self,
        receiving: Response.Type = Response.self
    ) -> GRPCClientCall<Request, Response> {
        let exchange = AsyncClientCall(maxMessageSize: configuration.maxMessageSize)
        let control = start(path, options, handler: exchange)
        return GRPCClientCall(exchange: exchange, control: control, compression: options.compression)
    }

    /// Calls a method with one request and one response message.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - request: the request.
    ///   - options: for this call.
    /// - Throws: the call's `GRPCStatus` unless it succeeded with exactly one response.
    public func unary<Request: Message, Response: Message>(
        _ path: String, _ request: Request, options: GRPCCallOptions = .init()
    ) async throws(GRPCStatus) -> Response {
        try await begin(path, request, options).closeAndReceive()
    }

    /// Begins a call of a method with one request message and any number of responses, and sends the request.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - request: the request.
    ///   - options: for this call.
    /// - Throws: the call's status if it has ended already; INTERNAL if the request cannot be encoded.
    public func serverStreaming<Request: Message, Response: Message>(
        _ path: String, _ request: Request, options: GRPCCallOptions = .init()
    ) async throws(GRPCStatus) -> GRPCClientCall<Request, Response> {
        let call: GRPCClientCall<Request, Response> = try await begin(path, request, options)
        call.finish()
        return call
    }

    /// Begins a call and sends its first message.
    private func begin<Request: Message, Response: Message>(
        _ path: String, _ request: Request, _ options: GRPCCallOptions
    ) async throws(GRPCStatus) -> GRPCClientCall<Request, Response> {
        let call = call(path, options: options, sending: Request.self, receiving: Response.self)
        do throws(GRPCStatus) {
            try await call.send(request)
        } catch {
            // Has no effect if the call has ended. Otherwise the request cannot be encoded, and the server would wait.
            call.cancel()
            throw error
        }
        return call
    }

    func start(
        _ path: String, _ options: GRPCCallOptions, handler: any ClientCallHandler
    ) -> any ClientCallControl {
        let call = prepare(path, options, handler: handler)
        call.begin()
        return call
    }

    func prepare(
        _ path: String, _ options: GRPCCallOptions, handler: any ClientCallHandler
    ) -> RetryingCall {
        guard configuration.interceptors.isEmpty else {
            return prepareIntercepted(path, options, handler: handler)
        }
        return makeCall(path, options, handler: handler)
    }

    private func prepareIntercepted(
        _ path: String, _ options: GRPCCallOptions, handler: any ClientCallHandler
    ) -> RetryingCall {
        var options = options
        do throws(GRPCStatus) {
            for interceptor in configuration.interceptors { try interceptor.prepare(path, &options) }
        } catch {
            return makeCall(path, options, refusal: error, handler: handler)
        }
        return makeCall(path, options, handler: handler)
    }

    private func makeCall(
        _ path: String, _ options: GRPCCallOptions, refusal: GRPCStatus? = nil, handler: any ClientCallHandler
    ) -> RetryingCall {
        var (token, refusal) = (BearerToken?.none, refusal)
        if let credentials = configuration.credentials, refusal == nil {
            do throws(GRPCStatus) { token = try credentials.token() } catch { refusal = error }
        }
        return RetryingCall(
            connections, head(path, options, token), options, refusal: refusal,
            observers: configuration.observers,
            target: targetURI, handler: handler)
    }

    /// The head of a request: the last one if nothing is different.
    private func head(_ path: String, _ options: GRPCCallOptions, _ token: BearerToken?) -> GRPCRequestHead {
        lastHead.withLock { last in
            if let last, last.path == path, last.compression == options.compression,
                last.metadata == options.metadata, last.bearerToken == token
            {
                return last
            }
            let head = GRPCRequestHead(
                path: path, scheme: configuration.tls == nil ? "http" : "https", authority: target.authority,
                userAgent: userAgent, compression: options.compression, metadata: options.metadata,
                bearerToken: token,
                sendsTokenToLoopback: configuration.credentials?.allowsLoopback ?? false)
            last = head
            return head
        }
    }

    // MARK: Connections

    /// All connections of the client run on this loop, unless they have loops of their own.
    var eventLoop: any EventLoop { connections.eventLoop }
    var activity: String { connections.activity }
    var keepalive: Keepalive? { connections.keepalive }

    /// Closes all connections. Calls that are still open, and those that are made later, end with CANCELLED.
    public func close() async {
        await connections.close()
    }
}
