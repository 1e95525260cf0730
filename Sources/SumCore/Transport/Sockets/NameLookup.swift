internal import Glibc
internal import NIOCore

/// The addresses of a host by getaddrinfo(3), which NIO does not provide as a list.
enum NameLookup {
    struct Failure: Error {
        /// Whether another attempt may succeed: a name server did not answer, or the system lacked a resource.
        var isTemporary: Bool
    }

    /// Looks up a host, and blocks while name servers are asked. The order is that of the system (RFC 6724). An address
    /// in the usual form is not looked up.
    ///
    /// - Parameter numericOnly: whether to take only an address in numeric form, for which nobody is asked.
    static func addresses(
        of host: String, port: Int, numericOnly: Bool
    ) throws(Failure) -> [SocketAddress] {
        // A NUL would end the C string early.
        guard !host.utf8.contains(0) else { throw Failure(isTemporary: false) }
        if let port = UInt16(exactly: port),
            let address = try? SocketAddress(ipAddress: host, port: Int(port))
        {
            return [address]
        }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        // AI_ADDRCONFIG is not used: it hides ::1 where loopback is the only interface with IPv6.
        unsafe hints.ai_flags = (numericOnly ? AI_NUMERICHOST : 0) | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let result = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard result == 0 else {
            throw Failure(isTemporary: [EAI_AGAIN, EAI_MEMORY, EAI_SYSTEM].contains(result))
        }
        defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
        var addresses: [SocketAddress] = []
        var entry = unsafe list
        while let info = unsafe entry {
            if let address = unsafe address(of: info.pointee) { addresses.append(address) }
            unsafe entry = info.pointee.ai_next
        }
        return addresses
    }

    /// Sound because an entry of the list has an address of the size that belongs to its family, and it is copied.
    private static func address(of info: addrinfo) -> SocketAddress? {
        guard let address = unsafe info.ai_addr else { return nil }
        switch unsafe info.ai_family {
        case AF_INET:
            return unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                SocketAddress(unsafe $0.pointee)
            }
        case AF_INET6:
            return unsafe address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                SocketAddress(unsafe $0.pointee)
            }
        default:
            return nil
        }
    }
}
