internal import Glibc
internal import SystemPackage

/// A listening socket that a service manager has opened and passed on (sd_listen_fds(3)).
package struct ActivatedSocket: Hashable, Sendable {
    /// Its number in this process.
    package var descriptor: CInt
    /// The unit's `FileDescriptorName=`; by default the name of the unit.
    package var name: String
    /// Whether it is a Unix domain socket.
    package var isUnix: Bool

    package init(descriptor: CInt, name: String, isUnix: Bool) {
        self.descriptor = descriptor
        self.name = name
        self.isUnix = isUnix
    }
}

/// The protocol by which a service manager passes sockets.
package enum SocketActivation {
    /// The first descriptor that is passed; the others follow.
    private static let firstDescriptor: CInt = 3

    /// Why the sockets cannot be used.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// What the environment says.
    struct Announcement: Hashable {
        var count: CInt
        var names: [String]

        /// - Parameter processID: sockets for another process, which has left its environment to this one, are ignored.
        /// - Returns: nil if nothing is passed.
        init?(_ value: (String) -> String?, processID: pid_t) throws(Failure) {
            guard let id = value("LISTEN_PID"), let count = value("LISTEN_FDS") else { return nil }
            guard let id = pid_t(id), let count = CInt(count), (0...1024).contains(count) else {
                throw Failure(
                    description:
                        "LISTEN_PID and LISTEN_FDS of the environment are no numbers of a service manager")
            }
            guard id == processID, count > 0 else { return nil }
            self.count = count
            names =
                value("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false).map(
                    String.init) ?? []
        }

        func name(at index: CInt) -> String {
            names.indices.contains(Int(index)) ? names[Int(index)] : "unknown"
        }
    }

    /// Returns the sockets, and removes them from the environment, so that no other program takes them for its own. Call
    /// it once, while the main thread is the only one.
    package static func take() throws(Failure) -> [ActivatedSocket] {
        guard let announcement = try Announcement(Environment.value, processID: getpid()) else { return [] }
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsafe unsetenv(name) }
        var sockets: [ActivatedSocket] = []
        for index in 0..<announcement.count {
            let descriptor = firstDescriptor + index
            let name = announcement.name(at: index)
            sockets.append(
                ActivatedSocket(descriptor: descriptor, name: name, isUnix: try check(descriptor, name)))
        }
        return sockets
    }

    /// - Returns: whether it is a Unix domain socket.
    private static func check(_ descriptor: CInt, _ name: String) throws(Failure) -> Bool {
        let place = "the socket '\(name.escapedWhole)' of the service manager (descriptor \(descriptor))"
        guard let type = option(SO_TYPE, of: descriptor), let family = option(SO_DOMAIN, of: descriptor)
        else {
            throw Failure(description: "\(place) is no socket: \(Errno(rawValue: errno))")
        }
        guard type == CInt(SOCK_STREAM.rawValue), [AF_INET, AF_INET6, AF_UNIX].contains(family) else {
            throw Failure(
                description: "\(place) cannot carry gRPC: give it with ListenStream= in the socket's unit")
        }
        guard option(SO_ACCEPTCONN, of: descriptor) == 1 else {
            throw Failure(
                description:
                    "\(place) does not listen, but is a connection: set Accept=no in the socket's unit")
        }
        // Nothing that this process starts may keep the address.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return family == AF_UNIX
    }

    private static func option(_ name: CInt, of descriptor: CInt) -> CInt? {
        var (value, length): (CInt, socklen_t) = (0, socklen_t(MemoryLayout<CInt>.size))
        // Sound because getsockopt(2) writes at most `length` bytes, and keeps no pointer.
        return unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}
