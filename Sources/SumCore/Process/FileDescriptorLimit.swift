internal import Glibc

/// The limit on open files and sockets of the process (RLIMIT_NOFILE).
package enum FileDescriptorLimit {
    /// The soft limit, which is in effect.
    package static var current: Int { Int(clamping: limits.rlim_cur) }

    /// Raises the soft limit to the hard limit. Call this first in a program that serves many connections.
    package static func raise() {
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
