/// Networks from which connections are believed, such as those of proxies.
public struct TrustedNetworks: Hashable, Sendable {
    private var blocks: [IPAddress.Block] = []
    private var includesUnix = false

    /// The error for a text that is not a list of networks.
    public struct Invalid: Error, Hashable, CustomStringConvertible {
        /// What is wrong, for people. It quotes the text, unescaped.
        public let description: String
    }

    /// Parses a list separated by commas: networks in CIDR notation (RFC 4632) such as `10.0.0.0/8` and `fd00::/8`,
    /// addresses, and `unix` for connections over Unix domain sockets.
    public init(_ list: String) throws(Invalid) {
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let text = part.drop { $0 == " " }
            if text == "unix" {
                includesUnix = true
            } else if let block = IPAddress.Block(text.contains("/") ? String(text) : Self.whole(text)) {
                blocks.append(block)
            } else {
                throw Invalid(
                    description: "'\(text)' is not a network such as 10.0.0.0/8, an address, or 'unix'")
            }
        }
    }

    /// The block of one address.
    private static func whole(_ address: Substring) -> String {
        "\(address)/\(address.contains(":") ? 128 : 32)"
    }

    func contains(_ peer: Peer) -> Bool {
        guard let address = peer.ipAddress else { return includesUnix && peer.address.hasPrefix("unix:") }
        return blocks.contains { $0.contains(address) }
    }
}
