public import CoreMetrics
internal import Synchronization

/// Records what a server does, through swift-metrics: the metrics of gRPC (grpc/proposal A66, A118), and those of this
/// server, `sum.server.*`. docs/observing.md lists them.
///
/// A call is recorded when it begins and when it has ended; its numbers are counted as they arrive, once for each piece of
/// its body. No label has a value that a client can choose: methods that the server does not host are `other`.
public final class ServerMetrics: ServerObserver {
    private let factory: any MetricsFactory
    private let instruments: ServerInstruments
    private let methods = Mutex<[String: MethodInstruments]>([:])

    /// - Parameter factory: the backend; that of the process if none is given.
    public init(factory: any MetricsFactory = MetricsSystem.factory) {
        self.factory = factory
        instruments = ServerInstruments(factory)
    }

    /// The server is about to drain, as with a drain delay. Shutting down tells it too (`drainBegan`).
    public func drainAnnounced() {
        instruments.draining.record(1)
    }

    public func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)? {
        instruments.connections.increment()
        instruments.opened.increment()
        return ConnectionMetrics(self)
    }

    public func connectionRefused(_ reason: ConnectionRefusal, _ peer: Peer) {
        instruments.refused.increment(reason.rawValue)
    }

    public func handshakeEnded(_ result: TLSHandshakeResult, _ peer: Peer) {
        instruments.handshakes.increment(result.rawValue)
    }

    public func certificateUsed(notAfter: Int) {
        Gauge(label: "sum.server.certificate.not_after", factory: factory).record(notAfter)
    }

    public func filesReloaded(_ outcome: ReloadOutcome) {
        instruments.reloads.increment(outcome.rawValue)
    }

    public func drainBegan() {
        drainAnnounced()
    }

    /// The instruments of a method.
    ///
    /// - Parameter path: nil for all methods that the server does not host.
    private func method(_ path: String?) -> MethodInstruments {
        let name = path.map(MethodName.metric) ?? MethodName.other
        return methods.withLock { methods in
            if let known = methods[name] { return known }
            let new = MethodInstruments(name, countsNumbers: path == SumNumbers.path, factory)
            methods[name] = new
            return new
        }
    }

    /// Records for one connection, on its event loop.
    private final class ConnectionMetrics: ServerConnectionObserver {
        private let metrics: ServerMetrics
        /// The last call, and the instruments of its method. The next is usually of the same method.
        private var lastCall: ServerCallStart?
        private var lastMethod: MethodInstruments?

        var observesCalls: Bool { true }
        var observesMessages: Bool { true }

        init(_ metrics: ServerMetrics) {
            self.metrics = metrics
        }

        private func method(of call: ServerCallStart) -> MethodInstruments {
            if let lastMethod, let lastCall, Self.haveSameMethod(lastCall, call) { return lastMethod }
            let method = metrics.method(call.isHosted ? call.path : nil)
            (lastCall, lastMethod) = (call, method)
            return method
        }

        private static func haveSameMethod(_ one: ServerCallStart, _ other: ServerCallStart) -> Bool {
            one.isIdentical(to: other)
                || one.isHosted == other.isHosted && (!one.isHosted || one.path == other.path)
        }

        func callBegan(_ call: ServerCallStart) -> (any ServerCallObserver)? {
            method(of: call).began()
            return nil
        }

        func messagesReceived(_ count: Int64, of call: ServerCallStart) {
            method(of: call).numbers?.increment(by: count)
        }

        func callEnded(_ call: ServerCallRecord) {
            method(of: call.start).ended(call)
        }

        func requestRefused(_ reason: String) {
            metrics.instruments.refusedStreams.increment()
        }

        func authorizationFailed(_ status: GRPCStatus) {
            metrics.instruments.unauthorized.increment(AuthorizationFailure(status).rawValue)
        }

        func failed(_ failure: ServerConnectionFailure) {
            guard let offence = failure.offence else { return }
            metrics.instruments.offences.increment(offence)
        }

        func closed(_ connection: ServerConnectionRecord) {
            metrics.instruments.connections.decrement()
        }
    }

    /// Why a call was refused because of who made it.
    private enum AuthorizationFailure: String {
        case unauthenticated
        case permissionDenied = "permission_denied"
        /// It could not be found out, such as because another service does not answer.
        case other

        init(_ status: GRPCStatus) {
            switch status.code {
            case .unauthenticated: self = .unauthenticated
            case .permissionDenied: self = .permissionDenied
            default: self = .other
            }
        }
    }
}

/// The instruments of a server that belong to no method.
private final class ServerInstruments: Sendable {
    let connections: Meter
    let opened: Counter
    let refusedStreams: Counter
    let draining: Gauge
    let refused: LabelledCounter
    let offences: LabelledCounter
    let unauthorized: LabelledCounter
    let reloads: LabelledCounter
    let handshakes: LabelledCounter

    /// Everything but the counters with labels is there from the beginning, so that it can be asked for.
    init(_ factory: any MetricsFactory) {
        connections = Meter(label: "sum.server.connections", factory: factory)
        opened = Counter(label: "sum.server.connections.opened", factory: factory)
        refusedStreams = Counter(label: "sum.server.streams.refused", factory: factory)
        draining = Gauge(label: "sum.server.draining", factory: factory)
        draining.record(0)
        refused = LabelledCounter("sum.server.connections.refused", "reason", factory)
        offences = LabelledCounter("sum.server.offences", "reason", factory)
        unauthorized = LabelledCounter("sum.server.authorization.failures", "reason", factory)
        reloads = LabelledCounter("sum.server.reloads", "result", factory)
        handshakes = LabelledCounter("grpc.server.tls.handshakes", "grpc.tls.handshake.result", factory)
    }
}

/// The instruments of one method of a server.
private final class MethodInstruments: Sendable {
    private let name: String
    private let factory: any MetricsFactory
    private let started: any CounterHandler
    /// Nil unless the messages of the method are numbers.
    let numbers: (any CounterHandler)?
    /// By status, made when the first call ends with it.
    private let outcomes = StatusTable<CallInstruments>()

    init(_ name: String, countsNumbers: Bool, _ factory: any MetricsFactory) {
        self.name = name
        self.factory = factory
        started = factory.makeCounter(
            label: "grpc.server.call.started", dimensions: [("grpc.method", name)])
        numbers = countsNumbers ? factory.makeCounter(label: "sum.server.numbers", dimensions: []) : nil
    }

    func began() {
        started.increment(by: 1)
    }

    func ended(_ call: ServerCallRecord) {
        outcomes.value(call.status.code) { code in
            CallInstruments("grpc.server.call", [("grpc.method", name)], code, factory)
        }.record(
            call.timeToStatus, bytesSent: call.messageBytesSent, bytesReceived: call.messageBytesReceived)
    }
}
