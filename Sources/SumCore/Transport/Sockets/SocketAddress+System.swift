internal import Glibc
internal import NIOCore

/// Properties of Linux's socket addresses that NIO does not provide.
extension SocketAddress {
    /// Bytes of the longest path of a Unix domain socket: `sun_path` without the terminating NUL (unix(7)).
    static let longestUnixPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Creates the address of a Unix domain socket. NIO's own initialiser refuses more than 103 bytes, Darwin's limit.
    ///
    /// - Throws: `InvalidAddress` for a path that is too long or contains a NUL.
    init(unixPath path: String) throws(InvalidAddress) {
        let bytes = Array(path.utf8)
        guard bytes.count <= Self.longestUnixPath else {
            throw InvalidAddress(
                description:
                    "the path has \(bytes.count) bytes, but a socket's path can have at most \(Self.longestUnixPath)"
            )
        }
        guard !bytes.contains(0) else { throw InvalidAddress(description: "the path contains a NUL") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // Sound because the path is shorter than the memory; its last byte stays zero.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        self.init(address)
    }

    /// The IP address in numeric form. A link-local address includes its zone, the name of the interface, without which
    /// one cannot connect to it (RFC 4007 section 11): `fe80::1%eth0`.
    var numericHost: String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        // Sound because getnameinfo(3) reads an address of the given size, and writes at most the given number of
        // bytes, with a NUL at the end. With NI_NUMERICHOST it does no lookup.
        let result = unsafe withSockAddr { address, size in
            unsafe getnameinfo(
                address, socklen_t(size), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        }
        guard result == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
