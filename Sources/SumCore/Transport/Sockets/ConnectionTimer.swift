internal import NIOCore

/// The only timer of a connection. Set to several moments, it fires at the first of them.
struct ConnectionTimer {
    private var scheduled: (moment: NIODeadline, task: Scheduled<Void>)?

    /// Whether `moment` comes before the one it is set to.
    func isSooner(_ moment: NIODeadline) -> Bool {
        moment < scheduled?.moment ?? .distantFuture
    }

    /// Sets it to another moment.
    ///
    /// - Parameter fire: called at that moment, on the event loop. It must call `fired` first.
    mutating func set(
        _ moment: NIODeadline, on eventLoop: any EventLoop, _ fire: @escaping () -> Void
    ) {
        cancel()
        scheduled = (moment, eventLoop.assumeIsolated().scheduleTask(deadline: moment, fire))
    }

    /// The moment has come: the timer may be set to later ones.
    mutating func fired() {
        scheduled = nil
    }

    mutating func cancel() {
        scheduled?.task.cancel()
        scheduled = nil
    }
}
