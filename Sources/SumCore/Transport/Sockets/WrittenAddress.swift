internal import NIOCore

/// The error for a text that is not an address.
public struct InvalidAddress: Error, Hashable, CustomStringConvertible {
    /// What is wrong, for people. It quotes the text, unescaped, unless the text may contain a password.
    public let description: String

    init(description: String) {
        self.description = description
    }
}

/// The syntax of addresses, which `Target` and `ListenAddress` share: that of gRPC's names (grpc/doc/naming.md).
enum WrittenAddress: Hashable {
    /// One or more hosts.
    case hosts([HostAndPort])
    case unix(path: String)

    /// Parses an address.
    ///
    /// - Parameters:
    ///   - text: the address.
    ///   - name: what errors call it, "target" or "address".
    /// - Throws: `InvalidAddress` with the reason.
    init(_ text: String, called name: String) throws(InvalidAddress) {
        do throws(InvalidAddress) {
            self = try Self.read(text)
        } catch {
            throw InvalidAddress(description: "the \(name) '\(text)' \(error.description)")
        }
    }

    private static func read(_ text: String) throws(InvalidAddress) -> WrittenAddress {
        if let name = text.removingPrefix("unix:") {
            return .unix(path: try path(name))
        }
        if let list = text.removingPrefix("ipv4:") {
            return .hosts(try literals(list, .inet))
        }
        if let list = text.removingPrefix("ipv6:") {
            return .hosts(try literals(list, .inet6))
        }
        guard var name = text.removingPrefix("dns:") else { return .hosts([try host(text)]) }
        if name.hasPrefix("//") {
            guard let rest = name.removingPrefix("///") else {
                throw InvalidAddress(description: "names a DNS server, which is not supported")
            }
            name = rest
        }
        return .hosts([try host(name)])
    }

    /// Parses a path, or `//` and an absolute path. An authority after `unix://` is refused, as in gRPC: some would
    /// take `unix://a/b` for `/a/b`, others for `a/b`.
    private static func path(_ name: String) throws(InvalidAddress) -> String {
        let path = name.removingPrefix("//") ?? name
        guard !path.isEmpty else { throw InvalidAddress(description: "has no path") }
        guard path == name || path.hasPrefix("/") else {
            throw InvalidAddress(
                description: "has two slashes: write unix:///\(path) if the path is absolute, or unix:\(path)"
            )
        }
        return path
    }

    private static func host(_ text: String) throws(InvalidAddress) -> HostAndPort {
        do throws(InvalidAddress) {
            return try HostAndPort(text)
        } catch {
            throw notAnAddress(error.description)
        }
    }

    private static func literals(
        _ list: String, _ family: NIOBSDSocket.ProtocolFamily
    ) throws(InvalidAddress) -> [HostAndPort] {
        var hosts: [HostAndPort] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let host = try host(String(part))
            let literal = try? SocketAddress(ipAddress: host.withoutZone.host, port: 0)
            guard literal?.protocol == family else {
                let kind = family == .inet ? "an IPv4" : "an IPv6"
                throw InvalidAddress(description: "has '\(part)', which is not \(kind) address")
            }
            hosts.append(host)
        }
        return hosts
    }

    /// Formats the address of a Unix domain socket. Escapes a path that begins with two slashes, which would be read as
    /// an authority.
    static func describe(unixPath path: String) -> String {
        path.hasPrefix("//") ? "unix://\(path)" : "unix:\(path)"
    }

    static func notAnAddress(_ reason: String) -> InvalidAddress {
        InvalidAddress(
            description:
                "is not HOST:PORT, dns:///HOST:PORT, ipv4:A:P, ipv6:[A]:P or unix:PATH: \(reason)")
    }
}

extension String {
    fileprivate func removingPrefix(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
