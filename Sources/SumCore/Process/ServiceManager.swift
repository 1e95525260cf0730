internal import Glibc
internal import NIOCore

/// The service manager that has started this process, and is told how it is (sd_notify(3)). Without one, nothing happens.
package final class ServiceManager: Sendable {
    private let descriptor: CInt
    private let path: [CChar]

    /// The time after which a process that says nothing counts as hung; nil without a watchdog.
    package let watchdogTimeout: Duration?

    /// Finds it in the environment.
    ///
    /// - Returns: nil if there is none.
    package convenience init?() {
        guard let path = Environment.value("NOTIFY_SOCKET") else { return nil }
        self.init(
            socket: path,
            watchdogTimeout: Self.watchdogTimeout(Environment.value, processID: getpid()))
    }

    /// - Parameter path: that of a datagram socket; `@` begins an abstract name (unix(7)). Others, such as `vsock:`, are
    ///   not supported.
    init?(socket path: String, watchdogTimeout: Duration?) {
        var bytes = path.utf8.map { CChar(bitPattern: $0) }
        guard let first = path.utf8.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"),
            bytes.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return nil }
        if first == UInt8(ascii: "@") { bytes[0] = 0 }
        // Non-blocking: a manager that does not read must not hold up this process.
        let flags = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = socket(AF_UNIX, flags, 0)
        guard descriptor >= 0 else { return nil }
        self.path = bytes
        self.watchdogTimeout = watchdogTimeout
    }

    deinit {
        close(descriptor)
    }

    /// The watchdog that the environment announces (sd_watchdog_enabled(3)).
    static func watchdogTimeout(_ value: (String) -> String?, processID: pid_t) -> Duration? {
        guard let microseconds = value("WATCHDOG_USEC").flatMap(Int64.init), microseconds > 0 else {
            return nil
        }
        if let id = value("WATCHDOG_PID"), pid_t(id) != processID { return nil }
        return .microseconds(microseconds)
    }

    /// What this process may say.
    package enum Message: Hashable, Sendable {
        /// It serves.
        case ready
        /// It reads its files again, until it is `ready`.
        case reloading
        /// It ends, which may take so long.
        case stopping(within: Duration)
        /// One line for people, such as `systemctl status` shows.
        case status(String)
        /// It is not hung.
        case alive

        var text: String {
            switch self {
            case .ready: "READY=1"
            case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(Self.monotonicMicroseconds)"
            case .stopping(let limit): "STOPPING=1\nEXTEND_TIMEOUT_USEC=\(limit.wholeNanoseconds / 1000)"
            case .status(let line): "STATUS=\(line.escapedWhole)"
            case .alive: "WATCHDOG=1"
            }
        }

        /// The time by CLOCK_MONOTONIC, which is NIO's clock.
        private static var monotonicMicroseconds: UInt64 { NIODeadline.now().uptimeNanoseconds / 1000 }
    }

    /// Sends messages, all in one datagram. May be called from any thread; does not block. A failure is ignored, since
    /// nobody could be told.
    package func tell(_ messages: Message...) {
        let text = messages.map(\.text).joined(separator: "\n")
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + path.count } ?? 0
        // Sound because `init` has checked that the path fits, and sendto(2) keeps no pointer.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { name in
            unsafe path.withUnsafeBytes { unsafe name.copyMemory(from: $0) }
        }
        let bytes = Array(text.utf8)
        _ = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(
                    descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL), $0, socklen_t(length))
            }
        }
    }
}
