internal import Glibc
public import SystemPackage

/// Standard input and outputs may not block: another program that has the same pipe, socket or terminal may have set
/// O_NONBLOCK, which belongs to all who have it. These wait as if it were not set.
extension FileDescriptor {
    /// Reads once into `buffer`.
    ///
    /// - Returns: how many bytes; 0 at the end.
    public func readWaiting(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            do {
                return try unsafe read(into: buffer)
            } catch Errno.wouldBlock {
                try wait(for: POLLIN)
            }
        }
    }

    /// Writes all of `text`.
    public func writeAllWaiting(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            do {
                rest = rest.dropFirst(try unsafe rest.withUnsafeBytes { try unsafe write($0) })
            } catch Errno.wouldBlock {
                try wait(for: POLLOUT)
            }
        }
    }

    /// An error or an end counts as readiness; what is tried next meets it.
    private func wait(for event: Int32) throws {
        var request = pollfd(fd: rawValue, events: Int16(event), revents: 0)
        while unsafe poll(&request, 1, -1) < 0 {
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
    }
}
