import Synchronization

/// Makes the ids of traces and spans: a counter, mixed as in SplitMix64 (Steele, Lea and Flood, "Fast Splittable
/// Pseudorandom Number Generators", 2014), from two starting points that the system has drawn. The system's generator is
/// a system call each time, and a lock would be shared by all event loops.
final class SpanIDs: Sendable {
    private static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

    private let traces: Atomic<UInt64>
    private let spans: Atomic<UInt64>
    /// Makes the high half of a trace's id differ from that of another process with the same counter.
    private let seed: UInt64

    init() {
        var random = SystemRandomNumberGenerator()
        traces = Atomic(random.next())
        spans = Atomic(random.next())
        seed = random.next()
    }

    func traceID() -> UInt128 {
        let counter = traces.wrappingAdd(Self.step, ordering: .relaxed).newValue
        let id = UInt128(Self.mix(counter ^ seed)) << 64 | UInt128(Self.mix(counter))
        return id == 0 ? 1 : id
    }

    func spanID() -> UInt64 {
        let id = Self.mix(spans.wrappingAdd(Self.step, ordering: .relaxed).newValue)
        return id == 0 ? 1 : id
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
