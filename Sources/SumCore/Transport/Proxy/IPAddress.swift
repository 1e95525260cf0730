internal import Glibc

/// An IPv4 or IPv6 address as a number. An IPv4-mapped address counts as the IPv4 address (RFC 4291 section 2.5.5.2),
/// and a zone is ignored.
struct IPAddress: Equatable {
    let isIPv6: Bool
    private let number: UInt128

    init?(_ text: String) {
        let text = HostAndPort(host: text, port: nil).withoutZone.host
        if let number = Self.number(text, AF_INET, byteCount: 4) {
            (isIPv6, self.number) = (false, number)
        } else if let number = Self.number(text, AF_INET6, byteCount: 16) {
            isIPv6 = number >> 32 != 0xffff
            self.number = isIPv6 ? number : number & 0xffff_ffff
        } else {
            return nil
        }
    }

    private static func number(_ text: String, _ family: Int32, byteCount: Int) -> UInt128? {
        // C would end the text there.
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        // Sound because inet_pton(3) writes exactly as many bytes as an address of this family has.
        guard unsafe inet_pton(family, text, &bytes) == 1 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }

    var isLoopback: Bool {
        isIPv6 ? number == 1 : number >> 24 == 127
    }

    /// A block of addresses in CIDR notation (RFC 4632), such as `10.0.0.0/8`. Bits of the address after the prefix are
    /// ignored.
    struct Block: Equatable {
        private let address: IPAddress
        /// How many bits at the end may be anything.
        private let freeBits: Int

        init?(_ text: String) {
            let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard parts.count == 2, let address = IPAddress(String(Substring(parts[0]))),
                !parts[1].isEmpty, parts[1].allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
                let length = Int(Substring(parts[1]))
            else { return nil }
            // The prefix of an IPv4-mapped address counts its 96 leading bits too.
            let bits = parts[0].contains(UInt8(ascii: ":")) ? 128 : 32
            freeBits = bits - length
            self.address = address
            guard freeBits >= 0, address.isIPv6 || freeBits <= 32 else { return nil }
        }

        func contains(_ other: IPAddress) -> Bool {
            address.isIPv6 == other.isIPv6 && (address.number ^ other.number) >> freeBits == 0
        }
    }
}
