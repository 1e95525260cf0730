import CMalloc
import FoundationEssentials

/// Lets the process give back what a large message or many connections took.
struct Heap {
    private var policy: TrimPolicy

    /// To be called first. Left alone, glibc keeps up to twice the largest block that was ever freed, in each thread's part
    /// of the heap (mallopt(3), "M_MMAP_THRESHOLD"). Buffers of sockets are smaller than these limits.
    init() {
        _ = mallopt(M_MMAP_THRESHOLD, 1 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 2 << 20)
        policy = TrimPolicy(resident: Self.resident ?? 0, inUse: Self.inUse)
    }

    /// Gives back what is free between what is in use, if there is much of it. To be called every few seconds, on a
    /// thread without connections: it may take tens of milliseconds.
    mutating func trimIfWorthwhile() {
        guard let resident = Self.resident, policy.mayHaveGrown(resident: resident) else { return }
        guard policy.mustTrim(resident: resident, inUse: Self.inUse) else { return }
        malloc_trim(0)
        policy.trimmed(resident: Self.resident ?? resident, inUse: Self.inUse)
    }

    /// Bytes of memory that belong to no file (proc_pid_status(5), RssAnon).
    private static var resident: Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
            return nil
        }
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    private static var inUse: Int {
        let info = mallinfo2()
        return Int(clamping: info.uordblks) + Int(clamping: info.hblkhd)
    }
}

/// When it is worthwhile to look through the heap for memory to give back.
struct TrimPolicy {
    /// Bytes that are not worth the time.
    static let least = 2 << 20

    /// Bytes that are resident and not in use, as far as no trim gives them back: stacks, the runtime's own, holes.
    private var floor: Int
    /// The same when they were counted last.
    private var slack: Int
    /// Resident bytes at the beginning.
    private let base: Int

    /// - Parameters: what the process has before it has done anything.
    init(resident: Int, inUse: Int) {
        floor = resident - inUse
        slack = floor
        base = resident
    }

    /// Whether a count is due, which takes time: there is nothing to give back of what was there at the beginning.
    func mayHaveGrown(resident: Int) -> Bool {
        resident > base + Self.least
    }

    /// - Returns: whether much is free, and was the last time: what comes and goes from second to second would be taken
    ///   back at once.
    mutating func mustTrim(resident: Int, inUse: Int) -> Bool {
        defer { slack = resident - inUse }
        return min(resident - inUse, slack) > floor + Self.least
    }

    /// Takes note of what a trim has left. What was in use then may be free later.
    mutating func trimmed(resident: Int, inUse: Int) {
        floor = resident - inUse
        slack = floor
    }
}
