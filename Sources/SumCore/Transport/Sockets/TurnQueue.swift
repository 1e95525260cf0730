internal import NIOCore

/// A connection with slow work to do in turns.
protocol TurnTaker: AnyObject {
    /// Does as much as `budget` allows.
    ///
    /// - Returns: whether there is more to do.
    func takeTurn(within budget: inout TurnBudget) -> Bool
}

/// Shares the time of one event loop among the connections that have slow work left, so that those without it, new
/// ones, and timers are served in between. Belongs to the loop.
final class TurnQueue {
    private let eventLoop: any EventLoop
    private var waiting = CircularBuffer<any TurnTaker>()
    private var isScheduled = false

    /// Time in which the loop looks after everything else. Not zero, since SwiftNIO runs what is due before it looks at
    /// sockets again.
    private static let pause = TimeAmount.microseconds(50)

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// What a connection that has just read something may do: nothing while others wait for their turn.
    var budgetForRead: TurnBudget { TurnBudget(waiting.isEmpty ? TurnBudget.connectionSlice : 0) }

    /// Has a connection take turns until it has nothing left to do. To be called once until then.
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
