internal import Glibc

/// How many files and sockets the process may have open (RLIMIT_NOFILE).
public enum FileDescriptorLimit {
    /// The limit that holds.
    public static var current: Int { Int(clamping: limits.rlim_cur) }

    /// Raises it as far as the process may without asking. To be called first in a program that serves many.
    public static func raise() {
        var limits = limits
        limits.rlim_cur = limits.rlim_max
        _ = unsafe setrlimit(resource, &limits)
    }

    private static let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))

    private static var limits: rlimit {
        var limits = rlimit()
        _ = unsafe getrlimit(resource, &limits)
        return limits
    }
}
