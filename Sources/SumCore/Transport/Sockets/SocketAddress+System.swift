internal import Glibc
internal import NIOCore

/// What NIO's addresses do not say or take of Linux's.
extension SocketAddress {
    /// The longest path of a Unix domain socket, in bytes: `sun_path` less the NUL at its end (unix(7)).
    static let longestUnixPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// The address of a Unix domain socket. NIO's own initialiser refuses more than 103 bytes, which is Darwin's limit.
    ///
    /// - Throws: `InvalidAddress` for a path that is longer than the system's limit, or has a NUL.
    init(unixPath path: String) throws(InvalidAddress) {
        let bytes = Array(path.utf8)
        guard bytes.count <= Self.longestUnixPath else {
            throw InvalidAddress(
                description:
                    "the path has \(bytes.count) bytes, and that of a socket has \(Self.longestUnixPath) at most"
            )
        }
        guard !bytes.contains(0) else { throw InvalidAddress(description: "the path contains a NUL") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // Sound: the path is not longer than the memory, whose end stays zero.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        self.init(address)
    }

    /// The IP address in digits. That of a link-local one has its zone, the name of the interface, without which nobody
    /// can connect to it (RFC 4007 section 11): `fe80::1%eth0`.
    var numericHost: String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        // Sound: getnameinfo(3) reads an address of that size, and writes no more than it is told there is room for,
        // with a NUL at the end. Asked for digits, it looks nothing up.
        let result = unsafe withSockAddr { address, size in
            unsafe getnameinfo(
                address, socklen_t(size), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        }
        guard result == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
