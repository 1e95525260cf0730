internal import SwiftProtobuf
internal import Synchronization

/// The standard health service, `grpc.health.v1.Health` (grpc/doc/health-checking.md, grpc/proposal A90).
///
/// Probes ask it whether a service, or with the empty name the whole server, is ready for calls.
public final class Health: Sendable {
    /// What Check and List answer, and Watch tells.
    public enum ServingStatus: String, Sendable {
        case serving = "SERVING"
        case notServing = "NOT_SERVING"
        /// Only for Watch: there is no such service, yet.
        case unknownService = "SERVICE_UNKNOWN"
    }

    /// The most services that List tells of (grpc/proposal A90).
    private static let listLimit = 100

    private struct State {
        var statuses: [String: ServingStatus]
        var watchers: [Int: Watcher] = [:]
        var nextWatcher = 0
        var isShutDown = false
    }

    private struct Watcher {
        /// Nil: none that will ever be known.
        var service: String?
        var changes: AsyncStream<ServingStatus>.Continuation
    }

    private let state: Mutex<State>

    /// - Parameter services: full names, such as `tutorial.NumberService`. They and the server are serving.
    public init(services: [String]) {
        let statuses = (services + [""]).map { ($0, ServingStatus.serving) }
        state = Mutex(State(statuses: Dictionary(statuses) { first, _ in first }))
    }

    /// Changes the status of a service, or of the server, whose name is empty, and tells who watches it.
    public func set(_ status: ServingStatus, for service: String) {
        state.withLock { state in
            guard !state.isShutDown, state.statuses.updateValue(status, forKey: service) != status else {
                return
            }
            for watcher in state.watchers.values where watcher.service == service {
                watcher.changes.yield(status)
            }
        }
    }

    /// The server stops: nothing is serving any more, who watches is told so, and the watching ends.
    public func shutDown() {
        state.withLock { state in
            guard !state.isShutDown else { return }
            state.isShutDown = true
            state.statuses = state.statuses.mapValues { _ in .notServing }
            for watcher in state.watchers.values {
                if let service = watcher.service, state.statuses[service] != nil {
                    watcher.changes.yield(.notServing)
                }
                watcher.changes.finish()
            }
        }
    }

    /// Bytes of the longest request that is taken.
    private static let requestLimit = 4 << 10
    /// Bytes of the longest service name that a watcher waits for.
    private static let nameLimit = 255

    /// For a server to host.
    public var methods: [GRPCMethod] { unlimitedMethods.map { $0.limited(to: Self.requestLimit) } }

    private var unlimitedMethods: [GRPCMethod] {
        [
            .unary(path: Self.checkPath) { (request: Grpc_Health_V1_HealthCheckRequest, _) in
                try self.check(request.service)
            },
            .unary(path: "/\(Self.service)/List") { (_: Grpc_Health_V1_HealthListRequest, _) in
                try self.list()
            },
            .serverStreaming(path: "/\(Self.service)/Watch") {
                (
                    request: Grpc_Health_V1_HealthCheckRequest,
                    responses: GRPCResponses<Grpc_Health_V1_HealthCheckResponse>, _
                ) in
                try await self.watch(request.service, responses)
            },
        ]
    }

    static let service = "grpc.health.v1.Health"
    static let checkPath = "/\(service)/Check"

    private func check(_ service: String) throws(GRPCStatus) -> Grpc_Health_V1_HealthCheckResponse {
        guard let status = state.withLock({ $0.statuses[service] }) else {
            throw GRPCStatus(
                code: .notFound, message: "there is no service '\(service.escapedForDisplay)' here")
        }
        return Self.response(status)
    }

    private func list() throws(GRPCStatus) -> Grpc_Health_V1_HealthListResponse {
        let statuses = state.withLock { $0.statuses }
        guard statuses.count <= Self.listLimit else {
            throw GRPCStatus(code: .resourceExhausted, message: "more than \(Self.listLimit) services")
        }
        return .with { $0.statuses = statuses.mapValues(Self.response) }
    }

    private func watch(
        _ service: String, _ responses: GRPCResponses<Grpc_Health_V1_HealthCheckResponse>
    ) async throws(GRPCStatus) {
        // Only the newest status matters to who is slow.
        let (changes, continuation) = AsyncStream.makeStream(
            of: ServingStatus.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            defer { state.nextWatcher += 1 }
            continuation.yield(state.statuses[service] ?? .unknownService)
            // A longer name is that of no service: not kept, since watching lasts as long as the client likes.
            let isName = service.utf8.count <= Self.nameLimit || state.statuses[service] != nil
            state.watchers[state.nextWatcher] = Watcher(
                service: isName ? service : nil, changes: continuation)
            if state.isShutDown { continuation.finish() }
            return state.nextWatcher
        }
        defer { state.withLock { _ = $0.watchers.removeValue(forKey: id) } }
        for await status in changes { try await responses.send(Self.response(status)) }
        throw GRPCStatus(code: .unavailable, message: "the server is stopping")
    }

    private static func response(_ status: ServingStatus) -> Grpc_Health_V1_HealthCheckResponse {
        .with { response in
            response.status =
                switch status {
                case .serving: .serving
                case .notServing: .notServing
                case .unknownService: .serviceUnknown
                }
        }
    }
}
