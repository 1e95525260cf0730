import Logging
import OTLPMessages
import ScriptedPeers
import Synchronization

@testable import SumCore
@testable import SumTelemetry

/// A collector on this package's own server, which answers what it is told to.
final class InProcessCollector: Sendable {
    struct Received: Sendable {
        var spans: [[String]] = []
        var metrics: [[String]] = []
        var metadata: [GRPCMetadata] = []
        var userAgents: [String] = []
        var attempts = 0
    }

    /// How a call is to end.
    enum Answer: Sendable {
        case accept
        case partialSuccess(rejected: Int64, message: String)
        case fail(GRPCStatus)
        /// Never answers.
        case hang
    }

    private let received = Mutex(Received())
    private let answers: Mutex<[Answer]>
    private let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
    private let server = Mutex<GRPCServer?>(nil)

    /// - Parameter answers: to the first calls; those that follow are accepted.
    init(_ answers: [Answer] = []) {
        self.answers = Mutex(answers)
    }

    private func next(_ note: (inout Received) -> Void) async throws -> (rejected: Int64, message: String) {
        let answer = answers.withLock { $0.isEmpty ? .accept : $0.removeFirst() }
        switch answer {
        case .accept:
            received.withLock {
                $0.attempts += 1
                note(&$0)
            }
            arrival.yield()
            return (0, "")
        case .partialSuccess(let rejected, let message):
            received.withLock {
                $0.attempts += 1
                note(&$0)
            }
            arrival.yield()
            return (rejected, message)
        case .fail(let status):
            received.withLock { $0.attempts += 1 }
            arrival.yield()
            throw status
        case .hang:
            received.withLock { $0.attempts += 1 }
            arrival.yield()
            try await Task.sleep(for: .seconds(3600))
            throw GRPCStatus(code: .internalError)
        }
    }

    private func note(_ context: ServerCallContext, in received: inout Received) {
        received.metadata.append(context.metadata)
        received.userAgents.append(context.userAgent)
    }

    private var methods: [GRPCMethod] {
        [
            .unary(path: ExportTracesRequest.path) {
                [self] (request: ExportTracesRequest, call) -> ExportTracesResponse in
                let (rejected, message) = try await next { received in
                    let spans = request.resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans)
                    received.spans.append(spans.map(\.name))
                    note(call.context, in: &received)
                }
                var response = ExportTracesResponse()
                response.partialSuccess.rejectedSpans = rejected
                response.partialSuccess.errorMessage = message
                return response
            },
            .unary(path: ExportMetricsRequest.path) {
                [self] (request: ExportMetricsRequest, call) -> ExportMetricsResponse in
                let (rejected, message) = try await next { received in
                    let metrics = request.resourceMetrics.flatMap(\.scopeMetrics).flatMap(\.metrics)
                    received.metrics.append(metrics.map { "\($0.name)=\($0.sum.dataPoints.map(\.asInt))" })
                    note(call.context, in: &received)
                }
                var response = ExportMetricsResponse()
                response.partialSuccess.rejectedDataPoints = rejected
                response.partialSuccess.errorMessage = message
                return response
            },
        ]
    }

    /// - Returns: the endpoint.
    func start(tls: ServerTLS? = nil, at address: String = "127.0.0.1:0") async throws -> String {
        let server = try await GRPCServer.start(
            listeningOn: [ListenEndpoint(try ListenAddress(address), tls: tls)], methods: methods,
            logger: Logger(label: "collector") { _ in SwiftLogNoOpLogHandler() })
        self.server.withLock { $0 = server }
        return "\(tls == nil ? "http" : "https")://\(server.addresses[0])"
    }

    func stop() async {
        await server.withLock { $0 }?.shutdown(within: .zero)
    }

    /// Waits until so many more calls have come.
    func wait(for count: Int = 1) async {
        var arrivals = arrivals.makeAsyncIterator()
        for _ in 0..<count { _ = await arrivals.next() }
    }

    var all: Received { received.withLock { $0 } }
}
