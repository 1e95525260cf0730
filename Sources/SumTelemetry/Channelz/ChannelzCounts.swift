internal import SumCore
internal import SwiftProtobuf
internal import Synchronization

/// Counts of things that start, and then succeed or fail. Written on event loops, read anywhere.
struct ChannelzCounts: ~Copyable {
    private let started = Atomic<Int64>(0)
    private let succeeded = Atomic<Int64>(0)
    private let failed = Atomic<Int64>(0)
    private let lastStarted = ChannelzMoment()

    func start() {
        lastStarted.pass()
        started.wrappingAdd(1, ordering: .relaxed)
    }

    func end(hasSucceeded: Bool) {
        // Releasing, so that whoever reads this end also reads the start that came before.
        if hasSucceeded {
            succeeded.wrappingAdd(1, ordering: .releasing)
        } else {
            failed.wrappingAdd(1, ordering: .releasing)
        }
    }

    struct Values {
        var succeeded: Int64
        var failed: Int64
        var started: Int64
        var lastStarted: Google_Protobuf_Timestamp?
    }

    /// Reads what has started last, so that it is never less than what has ended.
    func read() -> Values {
        let ended = (succeeded.load(ordering: .acquiring), failed.load(ordering: .acquiring))
        return Values(
            succeeded: ended.0, failed: ended.1, started: started.load(ordering: .relaxed),
            lastStarted: lastStarted.timestamp)
    }
}

/// When something happened last.
struct ChannelzMoment: ~Copyable {
    /// Nanoseconds since 1970; 0 if it has not happened.
    private let time = Atomic<UInt64>(0)

    func pass() { time.store(WallClock.now, ordering: .relaxed) }

    var timestamp: Google_Protobuf_Timestamp? {
        let time = time.load(ordering: .relaxed)
        guard time > 0 else { return nil }
        return Google_Protobuf_Timestamp(
            seconds: Int64(time / 1_000_000_000), nanos: Int32(time % 1_000_000_000))
    }
}
