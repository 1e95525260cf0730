internal import Glibc

/// An IPv4 or IPv6 address as a number. An IPv4-mapped address counts as the IPv4 address (RFC 4291 section 2.5.5.2),
/// and a zone is ignored.
package struct IPAddress: Hashable, Sendable {
    let isIPv6: Bool
    /// The high and the low half of the number. A UInt128 must be aligned to 16 bytes, and so must an object that has one,
    /// for which Swift calls posix_memalign(3): that costs several times as much as malloc(3).
    private let (high, low): (UInt64, UInt64)

    /// - Parameter bytes: the 4 or 16 bytes of an address in network order; nil for another count.
    init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.init(number: bytes.reduce(0) { $0 << 8 | UInt128($1) }, isIPv6: bytes.count == 16)
    }

    private init(number: UInt128, isIPv6: Bool) {
        self.isIPv6 = isIPv6 && number >> 32 != 0xffff
        high = self.isIPv6 ? UInt64(number >> 64) : 0
        low = UInt64(truncatingIfNeeded: self.isIPv6 ? number : number & 0xffff_ffff)
    }

    init?(_ text: String) {
        let text = text.contains(":") ? String(text.prefix { $0 != "%" }) : text
        if let number = Self.number(text, AF_INET, byteCount: 4) {
            self.init(number: number, isIPv6: false)
        } else if let number = Self.number(text, AF_INET6, byteCount: 16) {
            self.init(number: number, isIPv6: true)
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

    private var number: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// The 4 or 16 bytes in network order.
    package var bytes: [UInt8] {
        let count = isIPv6 ? 16 : 4
        return (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * (count - 1 - $0))) }
    }

    /// The address in its usual text (RFC 5952).
    var text: String {
        var bytes = bytes
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // Sound because inet_ntop(3) reads an address of this family, and writes at most the given number of bytes, with
        // a NUL at the end.
        _ = unsafe inet_ntop(isIPv6 ? AF_INET6 : AF_INET, &bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    var isLoopback: Bool {
        isIPv6 ? number == 1 : number >> 24 == 127
    }

    /// Who is likely to have this address: itself, or, for IPv6, its /64, all of which one host usually owns (RFC 6177).
    var network: IPAddress {
        isIPv6 ? IPAddress(number: (number >> 64) << 64, isIPv6: true) : self
    }

    /// A block of addresses in CIDR notation (RFC 4632), such as `10.0.0.0/8`. Bits of the address after the prefix are
    /// ignored.
    struct Block: Hashable, Sendable {
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
