public import CoreMetrics
internal import Synchronization

/// Records what a client does, through swift-metrics: the metrics of gRPC (grpc/proposal A66, A94, A96, A118), all with
/// the label `grpc.target`. docs/observing.md lists them.
///
/// Each client has its own: `configuration.observers.append(ClientMetrics(target: target))`.
public final class ClientMetrics: ClientObserver {
    private let factory: any MetricsFactory
    private let target: String
    private let methods = Mutex<[String: ClientMethodInstruments]>([:])

    private let connectionsOpened: Counter
    private let connectionsFailed: Counter
    private let disconnections: Counter
    private let openConnections: Meter
    private let handshakes: LabelledCounter

    /// Methods that have series of their own. A program that calls more, such as a proxy, has the others under `other`.
    private static let methodLimit = 100

    /// - Parameters:
    ///   - target: that of the client.
    ///   - factory: the backend; that of the process if none is given.
    public init(target: Target, factory: any MetricsFactory = MetricsSystem.factory) {
        self.factory = factory
        self.target = target.uri
        let dimensions = [("grpc.target", target.uri)]
        connectionsOpened = Counter(
            label: "grpc.subchannel.connection_attempts_succeeded", dimensions: dimensions, factory: factory)
        connectionsFailed = Counter(
            label: "grpc.subchannel.connection_attempts_failed", dimensions: dimensions, factory: factory)
        disconnections = Counter(
            label: "grpc.subchannel.disconnections", dimensions: dimensions, factory: factory)
        openConnections = Meter(
            label: "grpc.subchannel.open_connections", dimensions: dimensions, factory: factory)
        handshakes = LabelledCounter(
            "grpc.client.tls.handshakes", "grpc.tls.handshake.result", dimensions: dimensions, factory)
    }

    public func connectionOpened(_ peer: Peer) {
        connectionsOpened.increment()
        openConnections.increment()
    }

    public func connectionFailed(_ peer: Peer, _ reason: String) {
        connectionsFailed.increment()
    }

    public func connectionClosed(_ peer: Peer, _ reason: String?) {
        disconnections.increment()
        openConnections.decrement()
    }

    public func handshakeEnded(_ result: TLSHandshakeResult, _ peer: Peer) {
        handshakes.increment(result.rawValue)
    }

    public func callBegan(_ call: ClientCallStart) -> (any ClientCallObserver)? {
        methods.withLock { methods in
            if let known = methods[call.path] { return known }
            let path = methods.count < Self.methodLimit ? call.path : MethodName.other
            if let known = methods[path] { return known }
            let new = ClientMethodInstruments(MethodName.metric(path), target: target, factory)
            methods[path] = new
            return new
        }
    }
}

/// The instruments of one method of a client; the observer of all its calls.
private final class ClientMethodInstruments: ClientCallObserver {
    private let dimensions: [(String, String)]
    private let factory: any MetricsFactory
    private let started: Counter
    private let attempts = StatusTable<CallInstruments>()
    private let calls = StatusTable<Timer>()
    private let retries: Recorder
    private let transparentRetries: Recorder
    private let retryDelay: Timer

    init(_ name: String, target: String, _ factory: any MetricsFactory) {
        self.factory = factory
        dimensions = [("grpc.method", name), ("grpc.target", target)]
        started = Counter(label: "grpc.client.attempt.started", dimensions: dimensions, factory: factory)
        retries = Recorder(label: "grpc.client.call.retries", dimensions: dimensions, factory: factory)
        transparentRetries = Recorder(
            label: "grpc.client.call.transparent_retries", dimensions: dimensions, factory: factory)
        retryDelay = Timer(label: "grpc.client.call.retry_delay", dimensions: dimensions, factory: factory)
    }

    func attemptBegan(_ attempt: inout ClientAttemptStart) {
        started.increment()
    }

    func attemptEnded(_ attempt: ClientAttemptRecord) {
        attempts.value(attempt.status.code) { code in
            CallInstruments("grpc.client.attempt", dimensions, code, factory)
        }.record(
            attempt.duration, bytesSent: attempt.messageBytesSent,
            bytesReceived: attempt.messageBytesReceived)
    }

    func ended(_ call: ClientCallRecord) {
        calls.value(call.status.code) { code in
            Timer(
                label: "grpc.client.call.duration",
                dimensions: dimensions + [("grpc.status", code.metricName)], factory: factory)
        }.recordNanoseconds(call.duration.wholeNanoseconds)
        // Calls that were not retried are not recorded (grpc/proposal A96).
        let repeated = call.attempts - 1 - call.transparentRetries
        if repeated > 0 { retries.record(repeated) }
        if call.transparentRetries > 0 { transparentRetries.record(call.transparentRetries) }
        if call.retryDelay > .zero { retryDelay.recordNanoseconds(call.retryDelay.wholeNanoseconds) }
    }
}
