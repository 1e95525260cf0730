internal import NIOCore

/// The last five minutes of a server, in samples. It has no clock: samples bring their time.
struct StatusHistory: Sendable {
    /// The time between samples, and the time that is kept.
    static let interval = 5
    static let span = 300

    /// What has been counted since the start.
    struct Sample: Sendable {
        /// Nanoseconds since 1970.
        var time: UInt64
        var numbers: Int64
        var calls: Int64
        /// How long calls took, in buckets.
        var durations: [CallKind: [UInt64]]

        init(_ snapshot: MetricsSnapshot) {
            time = snapshot.time
            numbers = snapshot.total("sum.server.numbers") ?? 0
            calls = snapshot.total("grpc.server.call.started") ?? 0
            durations =
                snapshot.histograms("grpc.server.call.duration", by: "grpc.method", "grpc.status").counts
        }
    }

    /// How fast something was counted between two samples.
    struct Rate: Equatable, Sendable {
        /// Seconds before the last sample, at the end of the time that was measured.
        var age: Double
        var perSecond: Double
    }

    private var samples = CircularBuffer<Sample>()

    mutating func add(_ sample: Sample) {
        // After the clock was set back, what was kept is in the future.
        while let last = samples.last, last.time >= sample.time { samples.removeLast() }
        samples.append(sample)
        let kept = UInt64(Self.span + Self.interval) * 1_000_000_000
        while let first = samples.first,
            sample.time - first.time > kept || samples.count > Self.span / Self.interval + 2
        {
            samples.removeFirst()
        }
    }

    /// Closes the charts with the present moment, unless the last sample is so young that little was counted since.
    mutating func end(with sample: Sample) {
        if let last = samples.last, sample.time > last.time,
            sample.time - last.time < UInt64(Self.interval) * 500_000_000
        {
            return
        }
        add(sample)
    }

    /// The rates between samples, the oldest first.
    func rates(of count: (Sample) -> Int64) -> [Rate] {
        guard let now = samples.last?.time else { return [] }
        return zip(samples, samples.dropFirst()).map { earlier, later in
            let seconds = Double(later.time - earlier.time) / 1e9
            // A count never falls, but a sum over several may be read in between.
            let counted = max(count(later) &- count(earlier), 0)
            return Rate(age: Double(now - later.time) / 1e9, perSecond: Double(counted) / seconds)
        }
    }

    /// How long the calls took that ended within the time that is kept, in buckets.
    ///
    /// - Parameter all: those of all such calls until now.
    func recentDurations(of kind: CallKind, _ all: [UInt64]) -> [UInt64] {
        guard let first = samples.first?.durations[kind] else { return all }
        return zip(all, first).map { $0 > $1 ? $0 - $1 : 0 }
    }
}

/// Values that a share of all is not larger than, read from the buckets of a histogram.
enum Percentile {
    /// Interpolates within the bucket, as Prometheus' `histogram_quantile` does.
    ///
    /// - Returns: nil without values; infinity for one beyond the last bound.
    static func value(_ share: Double, bounds: [Double], counts: [UInt64]) -> Double? {
        let total = counts.reduce(0, &+)
        guard total > 0, counts.count == bounds.count + 1 else { return nil }
        let rank = share * Double(total)
        var below: UInt64 = 0
        for (index, bound) in bounds.enumerated() {
            let count = counts[index]
            if count > 0, Double(below + count) >= rank {
                let start = index == 0 ? min(bound, 0) : bounds[index - 1]
                return start + (bound - start) * max(rank - Double(below), 0) / Double(count)
            }
            below += count
        }
        return .infinity
    }
}
