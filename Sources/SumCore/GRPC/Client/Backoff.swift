/// Growing pauses between attempts, with jitter so that many clients do not come back at once
/// (grpc/doc/connection-backoff.md).
package struct Backoff {
    private static let growth = 1.6
    private static let jitter = 0.8...1.2

    private var pause: Duration
    private let longest: Duration

    package init(first: Duration, longest: Duration) {
        (pause, self.longest) = (first, longest)
    }

    package mutating func next() -> Duration {
        defer { pause = min(pause * Self.growth, longest) }
        return pause * Double.random(in: Self.jitter)
    }
}
