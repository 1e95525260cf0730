import CMalloc
import Glibc
import SystemPackage

/// Returns memory to the system after a large message or many connections.
struct Malloc {
    private var policy: TrimPolicy

    /// Sets fixed thresholds for malloc. Call this first.
    ///
    /// By default, glibc raises its thresholds with the largest block freed, and then keeps up to twice that size in
    /// each arena (mallopt(3), "M_MMAP_THRESHOLD"). Socket buffers are smaller than the thresholds set here.
    init() {
        _ = mallopt(M_MMAP_THRESHOLD, 1 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 2 << 20)
        policy = TrimPolicy(resident: Self.resident ?? 0, inUse: Self.inUse)
    }

    /// Returns free memory to the system, if there is enough of it.
    ///
    /// Call this every few seconds, on a thread without connections: it may take tens of milliseconds.
    mutating func trimIfWorthwhile() {
        guard let resident = Self.resident, policy.mayHaveGrown(resident: resident) else { return }
        guard policy.mustTrim(resident: resident, inUse: Self.inUse) else { return }
        malloc_trim(0)
        policy.trimmed(from: resident, to: Self.resident ?? resident, inUse: Self.inUse)
    }

    /// Bytes of resident anonymous memory: what proc_pid_status(5) calls RssAnon, from a file that is read faster
    /// (proc_pid_statm(5): the second field are resident pages, the third those of files and shared memory).
    private static var resident: Int? {
        guard let file = try? FileDescriptor.open(FilePath("/proc/self/statm"), .readOnly) else { return nil }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 256)
        guard let count = unsafe try? bytes.withUnsafeMutableBytes({ unsafe try file.read(into: $0) }) else {
            return nil
        }
        let fields = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ")
        guard fields.count > 2, let resident = Int(fields[1]), let shared = Int(fields[2]) else { return nil }
        return (resident - shared) * sysconf(Int32(_SC_PAGESIZE))
    }

    private static var inUse: Int {
        let info = mallinfo2()
        return Int(clamping: info.uordblks) + Int(clamping: info.hblkhd)
    }
}

/// Decides when to trim the heap.
///
/// A trim may return little memory because of fragmentation, and more a little later. So it is repeated while it
/// returns enough, and otherwise after a pause that doubles each time.
struct TrimPolicy {
    /// Bytes below which a trim is not worth its time.
    static let least = 2 << 20
    /// How many polls to skip after a trim that returned little: at first, and at most.
    private static let pauses = 2...128

    /// Resident bytes at the start, and those of them that malloc had not handed out: stacks, the runtime.
    private let base: Int
    private let floor: Int
    /// Bytes that were resident and not in use at the last poll.
    private var slack: Int
    private var pause = Self.pauses.lowerBound
    private var toSkip = 0

    /// - Parameters:
    ///   - resident: resident bytes before the process has done anything.
    ///   - inUse: bytes in use at that time.
    init(resident: Int, inUse: Int) {
        base = resident
        floor = resident - inUse
        slack = floor
    }

    /// Whether enough memory was added since the start to be worth counting what is in use, which takes time.
    func mayHaveGrown(resident: Int) -> Bool {
        resident > base + Self.least
    }

    /// Whether to trim now: enough is free, and was at the last poll too. Memory that is free only for a moment would
    /// be needed again at once.
    mutating func mustTrim(resident: Int, inUse: Int) -> Bool {
        defer { slack = resident - inUse }
        if toSkip > 0 {
            toSkip -= 1
            return false
        }
        return min(resident - inUse, slack) > floor + Self.least
    }

    /// Records the result of a trim.
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
