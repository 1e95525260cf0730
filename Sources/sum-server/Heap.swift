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
        policy.trimmed(from: resident, to: Self.resident ?? resident, inUse: Self.inUse)
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
///
/// A look through it may find little, because what is in use lies in between, and much a little later. So it is repeated
/// while it gives much back, and otherwise tried again after a pause that doubles.
struct TrimPolicy {
    /// Bytes that are not worth the time.
    static let least = 2 << 20
    /// Questions that are not asked after a trim that gave little back: at first, and at most.
    private static let pauses = 2...128

    /// Resident bytes at the beginning, and those of them that were not in use: stacks, the runtime's own.
    private let base: Int
    private let floor: Int
    /// Bytes that were resident and not in use when they were counted last.
    private var slack: Int
    private var pause = Self.pauses.lowerBound
    private var toSkip = 0

    /// - Parameters: what the process has before it has done anything.
    init(resident: Int, inUse: Int) {
        base = resident
        floor = resident - inUse
        slack = floor
    }

    /// Whether a count is due, which takes time: there is nothing to give back of what was there at the beginning.
    func mayHaveGrown(resident: Int) -> Bool {
        resident > base + Self.least
    }

    /// - Returns: whether much is free, and was the last time: what comes and goes from second to second would be taken
    ///   back at once.
    mutating func mustTrim(resident: Int, inUse: Int) -> Bool {
        defer { slack = resident - inUse }
        if toSkip > 0 {
            toSkip -= 1
            return false
        }
        return min(resident - inUse, slack) > floor + Self.least
    }

    /// Takes note of what a trim has left.
    mutating func trimmed(from before: Int, to resident: Int, inUse: Int) {
        slack = resident - inUse
        if before - resident >= Self.least {
            pause = Self.pauses.lowerBound
        } else {
            toSkip = pause
            pause = min(pause * 2, Self.pauses.upperBound)
        }
    }
}
