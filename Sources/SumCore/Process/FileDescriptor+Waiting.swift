internal import Glibc
package import SystemPackage

/// Blocking reads and writes of a descriptor that may be in non-blocking mode. O_NONBLOCK is shared by all processes
/// that have the same pipe, socket or terminal open, so another program may have set it on a standard stream.
extension FileDescriptor {
    /// Reads once into `buffer`, and waits until there is something to read.
    ///
    /// - Returns: the number of bytes read; 0 at the end of the input.
    /// - Throws: `Errno`.
    package func readWaiting(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            do {
                return try unsafe read(into: buffer)
            } catch Errno.wouldBlock {
                try wait(for: POLLIN)
            }
        }
    }

    /// Writes all of `text`, and waits whenever the descriptor does not accept more.
    ///
    /// - Throws: `Errno`.
    package func writeAllWaiting(_ text: String) throws {
        try writeAllWaiting(Array(text.utf8)[...])
    }

    /// The same for bytes.
    package func writeAllWaiting(_ bytes: ArraySlice<UInt8>) throws {
        var rest = bytes
        while !rest.isEmpty {
            do {
                rest = rest.dropFirst(try unsafe rest.withUnsafeBytes { try unsafe write($0) })
            } catch Errno.wouldBlock {
                try wait(for: POLLOUT)
            }
        }
    }

    /// Waits until `event` is possible. An error or end-of-file also ends the wait; the next read or write reports it.
    private func wait(for event: Int32) throws {
        var request = pollfd(fd: rawValue, events: Int16(event), revents: 0)
        while unsafe poll(&request, 1, -1) < 0 {
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
    }
}
