import NIOCore
import Testing

@testable import SumCore

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private static func v1(_ line: String) -> [UInt8] { Array("PROXY \(line)\r\n".utf8) }

    private static func v2(
        _ command: UInt8, _ family: UInt8, _ body: [UInt8], length: Int? = nil
    ) -> [UInt8] {
        let count = length ?? body.count
        return signature + [command, family, UInt8(count >> 8), UInt8(count & 0xff)] + body
    }

    private static func read(_ bytes: some Sequence<UInt8>) -> ProxyHeader.Reading {
        ProxyHeader.read(ByteBuffer(bytes: bytes).readableBytesView)
    }

    private static let ipv4: [UInt8] = [192, 0, 2, 1, 10, 0, 0, 1, 0xdc, 0x04, 0xc3, 0x83]
    private static let ipv6: [UInt8] =
        [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 0, count: 15) + [
            1
        ]
        + [0, 80, 0, 81]
    private static let tlvs: [UInt8] = [4, 0, 2, 0, 0, 0x20, 0, 5, 1, 0, 0, 0, 0]

    static let good: [([UInt8], ProxyHeader)] = [
        (v1("TCP4 192.0.2.1 10.0.0.1 56324 50051"), .client("192.0.2.1:56324")),
        (v1("TCP4 255.255.255.255 255.255.255.255 65535 65535"), .client("255.255.255.255:65535")),
        (v1("TCP6 2001:db8::7 ::1 80 0"), .client("[2001:db8::7]:80")),
        (v1("TCP6 ::ffff:1.2.3.4 ::1 80 81"), .client("1.2.3.4:80")),
        (v1("UNKNOWN"), .none), (v1("UNKNOWN ffff::1 whatever 1 2"), .none),
        (
            v1(
                "UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535"
            ), .none
        ),
        (v2(0x21, 0x11, ipv4), .client("192.0.2.1:56324")),
        (v2(0x21, 0x11, ipv4 + tlvs), .client("192.0.2.1:56324")),
        (v2(0x21, 0x21, ipv6), .client("[2001:db8::7]:80")),
        (v2(0x21, 0x21, ipv6 + tlvs), .client("[2001:db8::7]:80")),
        (v2(0x20, 0x00, []), .none), (v2(0x20, 0x11, ipv4), .none), (v2(0x20, 0x11, []), .none),
        (v2(0x21, 0x00, []), .none), (v2(0x21, 0x31, [UInt8](repeating: 7, count: 216)), .none),
        (v2(0x21, 0x12, ipv4), .none),
        (v2(0x21, 0x11, ipv4 + [UInt8](repeating: 1, count: 4096 - 28)), .client("192.0.2.1:56324")),
    ]

    @Test("abuse-A9: a header is read at every split, and what follows is left", arguments: good)
    func accepted(_ header: [UInt8], _ expected: ProxyHeader) {
        for count in 0..<header.count {
            #expect(Self.read(header.prefix(count)) == .incomplete, "\(count) bytes")
        }
        for rest in [[], Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), header] as [[UInt8]] {
            #expect(Self.read(header + rest) == .complete(expected, length: header.count))
        }
        // Also where the bytes do not begin at the start of their buffer.
        var buffer = ByteBuffer(bytes: [1, 2, 3] + header)
        buffer.moveReaderIndex(forwardBy: 3)
        #expect(ProxyHeader.read(buffer.readableBytesView) == .complete(expected, length: header.count))
    }

    @Test(
        "What is no header is refused, at the latest when it is as long as one",
        arguments: [
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), Array("GET / HTTP/1.1\r\n".utf8), [0x16, 3, 1],
            Array("PROXX".utf8), Array("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n".utf8), Array("PROXY \n".utf8),
            Array("PROXY ".utf8) + [UInt8](repeating: 0x20, count: 101),
            v1(""), v1("TCP5 192.0.2.1 10.0.0.1 1 2"), v1("TCP4"), v1("TCP4 192.0.2.1 10.0.0.1 1"),
            v1("TCP4 192.0.2.1 10.0.0.1 1 2 "), v1("TCP4  192.0.2.1 10.0.0.1 1 2"),
            v1("TCP4 192.0.2.256 10.0.0.1 1 2"), v1("TCP4 192.0.2 10.0.0.1 1 2"), v1("TCP4 ::1 ::1 1 2"),
            v1("TCP6 1.2.3.4 ::1 1 2"), v1("TCP6 fe80::1%lo ::1 1 2"), v1("TCP4 192.0.2.1 10.0.0.1 65536 2"),
            v1("TCP4 192.0.2.1 10.0.0.1 -1 2"), v1("TCP4 192.0.2.1 10.0.0.1 01 2"),
            v1("TCP4 192.0.2.1 10.0.0.1 1 99999999999999999999"), v1("TCP4 192.0.2.1\0 10.0.0.1 1 2"),
            v1("TCP4 \u{e9} 10.0.0.1 1 2"), v1("unknown"),
            v2(0x31, 0x11, ipv4), v2(0x11, 0x11, ipv4), v2(0x22, 0x11, ipv4), v2(0x21, 0x41, ipv4),
            v2(0x21, 0x13, ipv4), v2(0x21, 0x11, Array(ipv4.dropLast())), v2(0x21, 0x21, ipv4),
            v2(0x21, 0x11, ipv4, length: 4096 - 15), v2(0x21, 0x11, ipv4, length: 65535),
        ])
    func refused(_ bytes: [UInt8]) {
        let isInvalid = { (reading: ProxyHeader.Reading) in if case .invalid = reading { true } else { false }
        }
        #expect(isInvalid(Self.read(bytes)))
        // Once refused, always refused.
        var wasRefused = false
        for count in 0...bytes.count {
            let reading = Self.read(bytes.prefix(count))
            #expect(!wasRefused || isInvalid(reading), "\(count) bytes")
            wasRefused = isInvalid(reading)
            if case .complete = reading { Issue.record("\(count) bytes are no header") }
        }
    }

    @Test("Random damage to headers never traps, and never makes it wait for more than 4 KiB")
    func damage() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<20_000 {
            var bytes = Self.good[Int(random.next() % UInt64(Self.good.count))].0
            for _ in 0..<(random.next() % 4) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes = Array(bytes.prefix(Int(random.next() % UInt64(bytes.count + 1))))
            switch Self.read(bytes) {
            case .complete(_, let length): #expect(length <= bytes.count)
            case .incomplete: #expect(bytes.count < ProxyHeader.longest)
            case .invalid: break
            }
        }
    }
}
