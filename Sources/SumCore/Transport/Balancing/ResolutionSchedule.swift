internal import NIOCore

/// When the addresses of a target are asked for again.
///
/// There is no polling: a connection that fails or is lost is the reason to ask. While another connection is ready, at
/// least `interval` lies between two questions; while none is, only one is asked at a time. gRPC's DNS resolvers do
/// the same.
struct ResolutionSchedule {
    static let interval = TimeAmount.seconds(30)

    /// Whether the answer is always the same.
    private let isStatic: Bool
    private var lastStart: NIODeadline?
    private var isRunning = false
    private var isWanted = false

    /// Whether a resolution is wanted or running.
    var isPending: Bool { isWanted || isRunning }

    init(isStatic: Bool) {
        self.isStatic = isStatic
    }

    /// Asks for a resolution.
    mutating func request() {
        if !isStatic || lastStart == nil { isWanted = true }
    }

    /// Begins the resolution that was requested, if it is due.
    ///
    /// - Returns: whether to resolve the target now.
    mutating func begin(isReady: Bool, at now: NIODeadline) -> Bool {
        guard dueTime(isReady: isReady) <= now else { return false }
        (isWanted, isRunning, lastStart) = (false, true, now)
        return true
    }

    mutating func ended() {
        isRunning = false
    }

    /// When the next resolution is due; the distant future if none is wanted or one is running.
    func dueTime(isReady: Bool) -> NIODeadline {
        guard isWanted, !isRunning else { return .distantFuture }
        guard isReady, let lastStart else { return .distantPast }
        return lastStart + Self.interval
    }
}
