internal import NIOCore

/// Why a text is not an address.
public struct InvalidAddress: Error, Hashable, CustomStringConvertible {
    public let description: String

    init(description: String) {
        self.description = description
    }
}

/// An address as people write it. What a client connects to (`Target`) and what a server listens on
/// (`ListenAddress`) are written in the same way, that of gRPC's names (grpc/doc/naming.md).
enum WrittenAddress: Hashable {
    /// One or more.
    case hosts([HostAndPort])
    case unix(path: String)

    /// - Parameter name: what an error calls the text.
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

    /// A path, or `//` and an absolute path. Between the slashes of `unix://` there would be an authority, and there
    /// is none: gRPC refuses `unix://a/b` too, which some might take for `/a/b` and others for `a/b`.
    private static func path(_ name: String) throws(InvalidAddress) -> String {
        let path = name.removingPrefix("//") ?? name
        guard !path.isEmpty else { throw InvalidAddress(description: "names no path") }
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
                throw InvalidAddress(description: "has '\(part)', where there is to be \(kind) address")
            }
            hosts.append(host)
        }
        return hosts
    }

    /// How a Unix domain socket is written. A path with two slashes in front would be taken for an authority.
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
