internal import NIOCore

/// A connection that does slow work in turns.
protocol TurnTaker: AnyObject {
    /// Does as much as `budget` allows.
    ///
    /// - Returns: whether there is more to do.
    func takeTurn(within budget: inout TurnBudget) -> Bool
}

/// Shares the time of one event loop among the connections that have slow work left, so that other connections, new
/// ones, and timers are served in between. Use on that loop only.
final class TurnQueue {
    private let eventLoop: any EventLoop
    private var waiting = CircularBuffer<any TurnTaker>()
    private var isScheduled = false

    /// A pause for everything else on the loop. Not zero, since SwiftNIO runs due tasks before it checks sockets again.
    private static let pause = TimeAmount.microseconds(50)

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// The budget of a connection that has just read: zero while others wait for their turn.
    var budgetForRead: TurnBudget { TurnBudget(waiting.isEmpty ? TurnBudget.connectionSlice : 0) }

    /// Queues a connection for turns until it has no work left. Call it only once until then.
    func add(_ connection: any TurnTaker) {
        waiting.append(connection)
        schedule()
    }

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { self.run() }
    }

    private func run() {
        isScheduled = false
        var turn = TurnBudget(TurnBudget.turn)
        while !turn.isSpent, let connection = waiting.popFirst() {
            var slice = turn.split(TurnBudget.connectionSlice)
            if connection.takeTurn(within: &slice) { waiting.append(connection) }
            turn.add(slice)
        }
        if !waiting.isEmpty { schedule() }
    }
}
