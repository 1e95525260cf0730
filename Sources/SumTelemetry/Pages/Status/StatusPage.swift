internal import Synchronization

/// A page about a server, for people: what it does now, and what it has done for the last five minutes.
///
/// It is one file without anything from elsewhere. Without JavaScript it shows one moment; with it, it asks for itself
/// again every five seconds.
public final class StatusPage: Sendable {
    private let facts: Mutex<StatusFacts>
    private let connections: ConnectionList
    private let snapshot: @Sendable () -> MetricsSnapshot
    private let history = Mutex(StatusHistory())

    /// Creates a page.
    ///
    /// - Parameters:
    ///   - facts: what does not change.
    ///   - connections: an observer of the server.
    ///   - snapshot: makes a snapshot of its metrics; called on any thread but those of event loops.
    public init(
        _ facts: StatusFacts, connections: ConnectionList, snapshot: @escaping @Sendable () -> MetricsSnapshot
    ) {
        self.facts = Mutex(facts)
        self.connections = connections
        self.snapshot = snapshot
    }

    /// Takes samples for the charts, until the task is cancelled.
    public func run() async {
        repeat {
            let sample = StatusHistory.Sample(snapshot())
            history.withLock { $0.add(sample) }
        } while (try? await Task.sleep(for: .seconds(StatusHistory.interval))) != nil
    }

    /// Shows where the server listens, once that is known.
    public func show(addresses: [String]) {
        facts.withLock { $0.addresses = addresses }
    }

    /// The page as it is now. It takes too long for an event loop.
    public func html() -> String {
        let snapshot = snapshot()
        let (entries, count) = connections.oldest(StatusReport.shownConnections)
        let now = ContinuousClock.now
        let report = StatusReport(
            facts: facts.withLock { $0 }, snapshot: snapshot, history: history.withLock { $0 },
            connections: entries.map { ($0, age: Int64((now - $0.opened) / .seconds(1))) },
            connectionCount: count)
        return StatusDocument.html(report).description
    }
}

extension OperatorPage {
    /// `/`: a page about the server, for people.
    public static func status(_ page: StatusPage) -> Self {
        Self("/") { _ in
            Response(
                contentType: "text/html; charset=utf-8",
                // Nothing may be loaded, run or sent but what the page itself has.
                headers: [
                    ("Content-Security-Policy", StatusDocument.contentSecurityPolicy),
                    ("Referrer-Policy", "no-referrer"),
                ], page.html())
        }
    }
}
