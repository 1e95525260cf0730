/// What the page about a server shows, at one moment.
struct StatusReport {
    /// The most connections that are listed.
    static let shownConnections = 50

    struct CallRow: Equatable {
        var kind: CallKind
        /// Since the start.
        var count: Int64
        /// Within the last minutes.
        var recent: Int64
        /// In seconds; nil if there were none.
        var median: Double?
        var percentile90: Double?
        var percentile99: Double?
    }

    struct Certificate: Equatable {
        var name: String
        /// Seconds since 1970.
        var end: Int64
    }

    let facts: StatusFacts
    /// Seconds since 1970.
    let time: Int64
    /// Seconds since the start.
    let uptime: Int64
    let isDraining: Bool
    let numbers: Int64
    let calls: Int64
    let openCalls: Int64
    let connectionCount: Int64
    let memory: Int64?
    let numberRates: [StatusHistory.Rate]
    let callRates: [StatusHistory.Rate]
    let callRows: [CallRow]
    /// What clients ran into, and how often; nothing that never happened.
    let limits: [(name: String, count: Int64)]
    let certificates: [Certificate]
    let connections: [(entry: ConnectionList.Entry, age: Int64)]

    init(
        facts: StatusFacts, snapshot: MetricsSnapshot, history: StatusHistory,
        connections: [(ConnectionList.Entry, age: Int64)], connectionCount: Int
    ) {
        self.facts = facts
        time = Int64(snapshot.time / 1_000_000_000)
        uptime = Int64((snapshot.time - min(snapshot.startTime, snapshot.time)) / 1_000_000_000)
        isDraining = snapshot.total("sum.server.draining") ?? 0 > 0
        numbers = snapshot.total("sum.server.numbers") ?? 0
        calls = snapshot.total("grpc.server.call.started") ?? 0
        openCalls = max(calls - (snapshot.total("grpc.server.call.duration") ?? 0), 0)
        self.connectionCount = Int64(connectionCount)
        memory = snapshot.total("process.resident_memory")
        let now = StatusHistory.Sample(snapshot)
        var history = history
        history.end(with: now)
        numberRates = history.rates(of: \.numbers)
        callRates = history.rates(of: \.calls)
        callRows = Self.rows(snapshot, history)
        limits = Self.limits(snapshot)
        certificates = snapshot.values("sum.server.certificate.not_after").map {
            Certificate(name: $0.label, end: $0.value)
        }
        self.connections = connections.map { (entry: $0.0, age: $0.age) }
    }

    private static func rows(_ snapshot: MetricsSnapshot, _ history: StatusHistory) -> [CallRow] {
        let (bounds, counts) = snapshot.histograms(
            "grpc.server.call.duration", by: "grpc.method", "grpc.status")
        return counts.sorted { $0.key < $1.key }.map { kind, buckets in
            let recent = history.recentDurations(of: kind, buckets)
            let percentile = { Percentile.value($0, bounds: bounds, counts: recent) }
            return CallRow(
                kind: kind, count: Int64(clamping: buckets.reduce(0, &+)),
                recent: Int64(clamping: recent.reduce(0, &+)), median: percentile(0.5),
                percentile90: percentile(0.9), percentile99: percentile(0.99))
        }
    }

    private static func limits(_ snapshot: MetricsSnapshot) -> [(name: String, count: Int64)] {
        var limits: [(name: String, count: Int64)] = []
        let byReason = [
            ("sum.server.offences", "connection ended: "),
            ("sum.server.connections.refused", "connection refused: "),
            ("sum.server.authorization.failures", "caller refused: "),
        ]
        for (name, words) in byReason {
            for (reason, count) in snapshot.values(name) where count > 0 {
                limits.append((words + (reason.isEmpty ? "no reason" : reason), count))
            }
        }
        if let count = snapshot.total("sum.server.streams.refused"), count > 0 {
            limits.append(("streams reset", count))
        }
        return limits
    }
}
