/// An HTTP proxy that opens a tunnel to a server when it is asked with CONNECT (RFC 9110 section 9.3.6).
///
/// Its user name and password are in no text: not in its descriptions, its reflection, or an error about its URL.
public struct HTTPProxy: Hashable, Sendable {
    /// The port of a URL that names none, as in Go's net/http.
    public static let defaultPort = 80

    /// A name or an address, without brackets.
    let host: String
    let port: Int
    /// The value of `proxy-authorization` (RFC 7617); nil if the URL has no user.
    let authorization: String?

    /// Parses `http://[USER[:PASSWORD]@]HOST[:PORT]`. The scheme may be left out. Special characters in the user name
    /// and the password are percent-encoded.
    ///
    /// - Throws: `InvalidAddress`, which does not quote the URL, because any part of it may be a misplaced password.
    public init(_ url: String) throws(InvalidAddress) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw Self.invalid("it has a space or a control character")
        }
        let authority = try Self.authority(of: url)
        // A password may contain '@' even though it should be encoded.
        let at = authority.utf8.lastIndex(of: UInt8(ascii: "@"))
        authorization = try at.flatMap { index throws(InvalidAddress) in
            try Self.authorization(authority[..<index])
        }
        (host, port) = try Self.hostAndPort(at.map { authority[$0...].utf8.dropFirst() } ?? authority.utf8)
    }

    private static func invalid(_ reason: String) -> InvalidAddress {
        InvalidAddress(description: "\(reason); write it as http://[USER:PASSWORD@]HOST[:PORT]")
    }

    /// What is between the scheme and the path.
    private static func authority(of url: String) throws(InvalidAddress) -> Substring {
        var rest = Substring(url)
        if let mark = url.utf8.firstRange(of: "://".utf8), isScheme(url.utf8[..<mark.lowerBound]) {
            let scheme = url[..<mark.lowerBound].lowercased()
            guard scheme == "http" else {
                // An unknown word may be anything.
                let known = ["https", "socks4", "socks4a", "socks5", "socks5h"].contains(scheme)
                throw invalid("\(known ? "\(scheme)://" : "its scheme") is not supported, only http://")
            }
            rest = url[mark.upperBound...]
        }
        let end = rest.utf8.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        // With an unencoded '/' in a password, what looks like the host would be the user's name.
        guard rest[end...].isEmpty || rest[end...] == "/" else {
            throw invalid(
                "it has more after the host than a port (in a password, write / ? # as %2F %3F %23)")
        }
        return rest[..<end]
    }

    /// RFC 3986 section 3.1.
    private static func isScheme(_ text: Substring.UTF8View) -> Bool {
        text.first.map(isLetter) == true
            && text.allSatisfy { isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func authorization(_ userInfo: Substring) throws(InvalidAddress) -> String? {
        guard !userInfo.isEmpty else { return nil }
        let parts = userInfo.utf8.split(
            separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = decoded(parts[0]), let password = parts.count > 1 ? decoded(parts[1]) : [] else {
            throw invalid("its user name or password has a '%' that is not followed by two hex digits")
        }
        guard !user.contains(UInt8(ascii: ":")) else { throw invalid("its user name has a colon") }
        return "Basic " + Base64.encodePadded(user + [UInt8(ascii: ":")] + password)
    }

    private static func decoded(_ text: Substring.UTF8View) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            // `UInt8` would accept a sign.
            guard digits.count == 2, digits.allSatisfy({ isDigit($0) || isLetter($0) }),
                let value = UInt8(Substring(digits), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    private static func hostAndPort(_ text: Substring.UTF8View) throws(InvalidAddress) -> (String, Int) {
        guard text.first == UInt8(ascii: "[") else {
            let host = text.prefix { $0 != UInt8(ascii: ":") }
            guard !host.isEmpty else { throw invalid("it has no host") }
            guard host.allSatisfy(isHostByte) else {
                throw invalid("its host has a character that no name has")
            }
            return (String(Substring(host)), try port(text[host.endIndex...]))
        }
        let host = text.dropFirst().prefix { $0 != UInt8(ascii: "]") }
        // The '%' in front of a zone is percent-encoded (RFC 6874).
        let address = String(Substring(host)).replacing("%25", with: "%", maxReplacements: 1)
        guard host.endIndex < text.endIndex, host.contains(UInt8(ascii: ":")), IPAddress(address) != nil
        else {
            throw invalid("what it has in brackets is not an IPv6 address")
        }
        return (address, try port(text[host.endIndex...].dropFirst()))
    }

    /// - Parameter text: what follows the host; nothing, or a colon without a port, means the default (RFC 3986
    ///   section 3.2.3).
    private static func port(_ text: Substring.UTF8View) throws(InvalidAddress) -> Int {
        let colon = UInt8(ascii: ":")
        guard text.isEmpty || text.first == colon else {
            throw invalid("its brackets are not followed by a port")
        }
        let digits = text.dropFirst()
        guard !digits.isEmpty else { return defaultPort }
        guard !digits.contains(colon) else {
            throw invalid("it has too many colons (an IPv6 address needs brackets)")
        }
        guard digits.allSatisfy(isDigit), let port = Int(Substring(digits)), (1...65535).contains(port) else {
            throw invalid("its port is not a number from 1 to 65535")
        }
        return port
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        !"\"%<>@[\\]^`{|}".utf8.contains(byte)
    }
}

extension HTTPProxy: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL without user name and password, such as `http://proxy:3128`.
    public var description: String { "http://\(HostAndPort.describe(host, port: port))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}
