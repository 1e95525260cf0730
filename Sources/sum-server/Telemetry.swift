import Logging
import SumCore
import SumTelemetry
import Synchronization

/// What an operator sees of the server while it runs. If nothing of it is asked for, nothing of it is made.
final class Telemetry: Sendable {
    /// To be told of connections and calls.
    let observers: [any ServerObserver]
    private let metrics: ServerMetrics?
    private let listener: OperatorListener?
    private let isReady: Readiness

    /// Whether the server should get new calls.
    private final class Readiness: Sendable {
        let value = Atomic(false)
    }

    /// Starts to listen for whoever wants to see the pages.
    ///
    /// - Parameter address: of the pages; nil for none.
    init(pagesOn address: ListenAddress?, socketMode: UInt16?, logger: Logger) async throws {
        let isReady = Readiness()
        self.isReady = isReady
        guard let address else {
            (observers, metrics, listener) = ([], nil, nil)
            return
        }
        var variables = OpenTelemetryVariables()
        let resource = TelemetryResource(ofProgram: "sum-server", &variables)
        for warning in variables.warnings { logger.warning("\(warning)") }
        let registry = MetricsRegistry(collectors: [ProcessMetrics.collect])
        let metrics = ServerMetrics(factory: registry)
        let pages = [
            OperatorPage.metrics(registry, resource: resource),
            .liveness, .readiness { isReady.value.load(ordering: .relaxed) },
        ]
        let listener = try await OperatorListener.start(
            on: address, pages: pages, socketMode: socketMode, logger: logger)
        // Not on standard output: programs read the addresses for gRPC there.
        logger.info("serving pages for operators", metadata: ["address": "\(listener.address)"])
        (observers, self.metrics, self.listener) = ([metrics], metrics, listener)
    }

    /// The server listens.
    func serving() {
        isReady.value.store(true, ordering: .relaxed)
    }

    /// The server will shut down, or does.
    func draining() {
        isReady.value.store(false, ordering: .relaxed)
        metrics?.drainAnnounced()
    }

    /// The server has ended.
    func close() async {
        await listener?.close()
    }
}
