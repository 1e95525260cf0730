internal import Glibc
internal import SumCore
internal import SystemPackage

/// What the kernel knows about this process, under the names that Prometheus' client libraries give it. What cannot be
/// read, as in a sandbox without /proc, is left out.
public enum ProcessMetrics {
    /// Reads everything. May block for as long as it takes to list the open files.
    public static func collect() -> [MetricsSnapshot.Metric] {
        let status = status()
        return [
            metric("process.cpu", .counter, "s", "CPU time used, by user and system.", cpuSeconds),
            metric("process.resident_memory", .gauge, "By", "Memory that is resident.", status?.resident),
            metric("process.virtual_memory", .gauge, "By", "Address space in use.", status?.virtual),
            metric("process.threads", .gauge, "", "Threads.", status?.threads),
            metric("process.open_fds", .gauge, "", "File descriptors that are open.", openDescriptors),
            metric("process.max_fds", .gauge, "", "File descriptors that may be open.", maxDescriptors),
            metric("process.start_time", .gauge, "s", "When the process started, since 1970.", startTime),
        ].compactMap { $0 }
    }

    private static func metric(
        _ name: String, _ kind: MetricsSnapshot.Kind, _ unit: String, _ help: String,
        _ value: MetricsSnapshot.Value?
    ) -> MetricsSnapshot.Metric? {
        value.map {
            .init(
                name: name, help: help, unit: unit, kind: kind, points: [.init(attributes: [], value: $0)])
        }
    }

    private static var cpuSeconds: MetricsSnapshot.Value? {
        var usage = rusage()
        guard unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return nil }
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        let micros = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return .double(Double(seconds) + Double(micros) / 1e6)
    }

    private static var maxDescriptors: MetricsSnapshot.Value? {
        .integer(Int64(FileDescriptorLimit.current))
    }

    private static var openDescriptors: MetricsSnapshot.Value? {
        // The pointers are sound because they are used between opendir and closedir only, by this thread alone.
        guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(folder) }
        var entries: Int64 = 0
        while unsafe readdir(folder) != nil { entries += 1 }
        // Not `.`, `..`, and the descriptor of the folder itself.
        return .integer(max(0, entries - 3))
    }

    private struct Status {
        var threads: MetricsSnapshot.Value
        var virtual: MetricsSnapshot.Value
        var resident: MetricsSnapshot.Value
        /// Clock ticks after the machine's start.
        var start: Int64
    }

    /// From /proc/self/stat (proc(5)). The second field is a name in brackets, which may contain anything.
    private static func status() -> Status? {
        guard let text = try? SmallFile.read("/proc/self/stat", limit: 64 << 10),
            let bracket = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = text[(bracket + 1)...].split(separator: UInt8(ascii: " ")).map {
            Int64(String(decoding: $0, as: UTF8.self))
        }
        // The first of these is the third of the file's.
        guard fields.count > 21, let threads = fields[17], let start = fields[19], let virtual = fields[20],
            let pages = fields[21]
        else { return nil }
        return Status(
            threads: .integer(threads), virtual: .integer(virtual),
            resident: .integer(pages * Int64(sysconf(Int32(_SC_PAGESIZE)))), start: start)
    }

    /// Computed once: a start that moves would look like a restart.
    private static let startTime: MetricsSnapshot.Value? = {
        var sinceBoot = timespec()
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        guard let start = status()?.start, ticks > 0, unsafe clock_gettime(CLOCK_BOOTTIME, &sinceBoot) == 0
        else { return nil }
        let age = Double(sinceBoot.tv_sec) + Double(sinceBoot.tv_nsec) / 1e9 - Double(start) / ticks
        return .double(((Double(WallClock.now) / 1e9 - age) * 100).rounded() / 100)
    }()
}
