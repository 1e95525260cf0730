internal import SwiftProtobuf
internal import Synchronization

/// The standard health service, `grpc.health.v1.Health` (grpc/doc/health-checking.md, grpc/proposal A90).
///
/// Probes call it to find out whether a service, or the whole server under the empty name, is ready for calls. All
/// methods may be called from any thread.
public final class Health: Sendable {
    /// The status of a service, as Check, List and Watch report it. The raw value is the protocol's name.
    public enum ServingStatus: String, Sendable {
        /// The service is ready for calls.
        case serving = "SERVING"
        /// The service exists, and is not ready for calls.
        case notServing = "NOT_SERVING"
        /// Only from Watch: the service does not exist, at least not yet.
        case unknownService = "SERVICE_UNKNOWN"
    }

    /// The most services that List returns (grpc/proposal A90).
    private static let listLimit = 100

    private struct State {
        var statuses: [String: ServingStatus]
        var watchers: [Int: Watcher] = [:]
        var nextWatcher = 0
        /// Whether every status is `notServing` for good.
        var isStopping = false
        var isShutDown = false

        mutating func stopServing() {
            guard !isStopping else { return }
            isStopping = true
            statuses = statuses.mapValues { _ in .notServing }
            for watcher in watchers.values {
                guard let service = watcher.service, statuses[service] != nil else { continue }
                watcher.changes.yield(.notServing)
            }
        }
    }

    private struct Watcher {
        /// nil for a name that no service can have.
        var service: String?
        var changes: AsyncStream<ServingStatus>.Continuation
    }

    private let state: Mutex<State>

    /// Creates the service. All services, and the server itself, are serving.
    ///
    /// - Parameter services: full names, such as `tutorial.NumberService`.
    public init(services: [String]) {
        let statuses = (services + [""]).map { ($0, ServingStatus.serving) }
        state = Mutex(State(statuses: Dictionary(statuses) { first, _ in first }))
    }

    /// Sets the status of a service, or of the server under the empty name, and notifies its watchers. Has no effect
    /// after `stopServing` or `shutDown`.
    public func set(_ status: ServingStatus, for service: String) {
        state.withLock { state in
            guard !state.isStopping, state.statuses.updateValue(status, forKey: service) != status else {
                return
            }
            for watcher in state.watchers.values where watcher.service == service {
                watcher.changes.yield(status)
            }
        }
    }

    /// Sets every status to `notServing` for good, and notifies all watchers, whose calls go on.
    ///
    /// Call this some seconds before `shutDown` if load balancers are to turn to other servers while this one still
    /// serves.
    public func stopServing() {
        state.withLock { $0.stopServing() }
    }

    /// Does what `stopServing` does, and ends the calls of all watchers with UNAVAILABLE. Call this before
    /// `GRPCServer.shutdown`.
    public func shutDown() {
        state.withLock { state in
            state.stopServing()
            state.isShutDown = true
            for watcher in state.watchers.values { watcher.changes.finish() }
        }
    }

    /// Bytes of the largest request accepted.
    private static let requestLimit = 4 << 10
    /// Bytes of the longest service name that is kept for a watcher.
    private static let nameLimit = 255

    /// The methods Check, List and Watch, for a server to host.
    public var methods: [GRPCMethod] { unlimitedMethods.map { $0.limited(to: Self.requestLimit) } }

    private var unlimitedMethods: [GRPCMethod] {
        [
            .unary(path: Self.checkPath) { (request: Grpc_Health_V1_HealthCheckRequest, _) in
                try self.check(request.service)
            },
            .unary(path: "/\(Self.service)/List") { (_: Grpc_Health_V1_HealthListRequest, _) in
                try self.list()
            },
            GRPCMethod(path: "/\(Self.service)/Watch") { context in
                AsyncServerCallHandler(context: context) { call in
                    // A call may go on for long, so it keeps the name, and not the request.
                    let service = self.watchedName(in: try await call.onlyMessage())
                    try await self.watch(service, GRPCResponses(call: call))
                }
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

    /// The name of the service to watch; nil for a name that no service can have, which a client could make us keep.
    private func watchedName(in request: Grpc_Health_V1_HealthCheckRequest) -> String? {
        let name = request.service
        let isKept = name.utf8.count <= Self.nameLimit || state.withLock { $0.statuses[name] != nil }
        return isKept ? name : nil
    }

    private func watch(
        _ service: String?, _ responses: GRPCResponses<Grpc_Health_V1_HealthCheckResponse>
    ) async throws(GRPCStatus) {
        // A slow watcher needs only the newest status.
        let (changes, continuation) = AsyncStream.makeStream(
            of: ServingStatus.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            defer { state.nextWatcher += 1 }
            continuation.yield(service.flatMap { state.statuses[$0] } ?? .unknownService)
            state.watchers[state.nextWatcher] = Watcher(service: service, changes: continuation)
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
