/// Chooses a connection for each call. A value, made anew when the set of ready connections changes.
struct Picker<Connection: AnyObject & Sendable>: Sendable {
    enum Choice: Sendable {
        case use(Connection)
        /// Wait: a connection may soon be ready.
        case wait
        /// No connection is ready, and the last attempts have failed for this reason.
        case fail(GRPCStatus)
    }

    private(set) var ready: [Connection] = []
    private var next = 0
    /// Why calls that do not wait for a connection fail.
    private let failure: GRPCStatus?

    /// Makes a picker for these connections, to which calls go in turn.
    ///
    /// - Parameter start: which comes first. It is random, so that clients that start together do not all begin with
    ///   the same server.
    init(ready: [Connection], start: Int) {
        self.ready = ready
        next = ready.isEmpty ? 0 : start % ready.count
        failure = nil
    }

    /// Makes a picker without connections.
    ///
    /// - Parameter failure: why calls fail; nil if they are to wait.
    init(failure: GRPCStatus? = nil) {
        self.failure = failure
    }

    /// What `pick` would choose.
    var choice: Choice {
        if !ready.isEmpty { return .use(ready[next]) }
        return failure.map { .fail($0) } ?? .wait
    }

    /// Chooses the connection for the next call.
    ///
    /// - Parameter avoided: the connection on which the call has failed. It is chosen only if there is no other.
    mutating func pick(avoiding avoided: Connection? = nil) -> Choice {
        guard !ready.isEmpty else { return choice }
        let choice = takeNext()
        guard let avoided, choice === avoided, ready.count > 1 else { return .use(choice) }
        return .use(takeNext())
    }

    private mutating func takeNext() -> Connection {
        let choice = ready[next]
        next = next + 1 == ready.count ? 0 : next + 1
        return choice
    }
}
