internal import CoreMetrics
internal import Synchronization

/// One series: the value of a metric for one set of attributes. Recording takes no lock.
protocol MetricCell: AnyObject, Sendable {
    var identity: MetricIdentity { get }
    var value: MetricsSnapshot.Value { get }
}

/// Which series of which metric.
struct MetricIdentity: Sendable {
    var name: String
    var attributes: [MetricsSnapshot.Attribute]
}

/// A counter of whole things, exact up to Int64's maximum.
final class CounterCell: MetricCell, CounterHandler {
    let identity: MetricIdentity
    private let cells = ShardedCells(count: 1)

    init(_ identity: MetricIdentity) {
        self.identity = identity
    }

    func increment(by amount: Int64) {
        // A counter never falls.
        if amount > 0 { cells.add(UInt64(amount), at: 0) }
    }

    func reset() {
        cells.reset()
    }

    var value: MetricsSnapshot.Value { .integer(Int64(clamping: cells.total(at: 0))) }
}

/// A number that is set, or grows and falls: a gauge, an up-down counter, or a counter of fractions. It changes rarely,
/// compared with the records of calls, so it is not sharded.
final class NumberCell: MetricCell, MeterHandler, RecorderHandler, FloatingPointCounterHandler {
    let identity: MetricIdentity
    private let isMonotonic: Bool
    private let bits = Atomic<UInt64>(0.0.bitPattern)

    init(_ identity: MetricIdentity, isMonotonic: Bool = false) {
        self.identity = identity
        self.isMonotonic = isMonotonic
    }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func record(_ value: Int64) { set(Double(value)) }

    func record(_ value: Double) { set(value) }

    func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 || !isMonotonic else { return }
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let outcome = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if outcome.exchanged { return }
            old = outcome.original
        }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func reset() { set(0.0) }

    var value: MetricsSnapshot.Value {
        let number = Double(bitPattern: bits.load(ordering: .relaxed))
        return Int64(exactly: number).map { .integer($0) } ?? .double(number)
    }
}

/// A histogram. Whole values, among them durations in nanoseconds, are added exactly.
final class HistogramCell: MetricCell, RecorderHandler, TimerHandler {
    let identity: MetricIdentity
    private let bounds: [Double]
    /// The largest whole value of each bucket.
    private let wholeBounds: [Int64]
    /// Whole values per unit: 1e9 if nanoseconds are recorded and the unit is the second.
    private let scale: Double
    /// A count for each bucket, and then two numbers for the sum of whole values.
    private let cells: ShardedCells
    /// The sum of values that are no whole numbers, in the unit.
    private let rest: NumberCell

    init(_ identity: MetricIdentity, bounds: [Double], scale: Double = 1) {
        self.identity = identity
        self.bounds = bounds
        self.scale = scale
        wholeBounds = bounds.map { bound in
            // 0.0003 s is a little less than 300,000 ns as a Double, but exactly that is meant.
            let scaled = scale == 1 ? bound.rounded(.down) : (bound * scale).rounded()
            return Int64(exactly: scaled) ?? (scaled < 0 ? .min : .max)
        }
        cells = ShardedCells(count: bounds.count + 3)
        rest = NumberCell(identity)
    }

    func record(_ value: Int64) {
        cells.add(1, at: Self.bucket(of: value, in: wholeBounds))
        if value >= 0 {
            cells.addWide(UInt64(value), at: bounds.count + 1)
        } else {
            rest.increment(by: Double(value) / scale)
        }
    }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        cells.add(1, at: Self.bucket(of: value, in: bounds))
        rest.increment(by: value)
    }

    func recordNanoseconds(_ duration: Int64) {
        // No duration is negative.
        record(max(duration, 0))
    }

    /// The first bucket whose bound is not below `value`; one past the last bound if there is none.
    @inline(__always) private static func bucket<Value: Comparable>(of value: Value, in bounds: [Value])
        -> Int
    {
        var (low, high) = (0, bounds.count)
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    var value: MetricsSnapshot.Value {
        let rest =
            switch rest.value {
            case .integer(let whole): Double(whole)
            case .double(let number): number
            case .histogram: 0.0
            }
        return .histogram(
            counts: (0...bounds.count).map { UInt64(truncatingIfNeeded: cells.total(at: $0)) },
            sum: Double(cells.wideTotal(at: bounds.count + 1)) / scale + rest)
    }
}
