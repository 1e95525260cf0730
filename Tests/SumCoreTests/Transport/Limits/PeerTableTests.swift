import NIOCore
import Testing

@testable import SumCore

@Suite struct PeerTableTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)).network }

    private enum Step {
        case admit(String, PeerTable.Refusal?, isNews: Bool = false)
        case close(String)
        case wait(Double)
    }

    private func check(_ table: PeerTable, _ steps: [Step]) throws {
        var (table, now) = (table, 0.0)
        for (index, step) in steps.enumerated() {
            switch step {
            case .admit(let peer, let refusal, let isNews):
                let outcome = table.admit(try address(peer), at: at(now))
                #expect(outcome?.refusal == refusal, "step \(index)")
                #expect(outcome?.isNews ?? false == isNews, "step \(index)")
            case .close(let peer): table.close(try address(peer))
            case .wait(let seconds): now += seconds
            }
        }
    }

    @Test("A peer may have so many connections, and as many again when they close")
    func open() throws {
        try check(
            PeerTable(maxOpen: 2, maxNew: nil),
            [
                .admit("10.0.0.1", nil), .admit("10.0.0.1", nil),
                .admit("10.0.0.1", .tooManyConnections, isNews: true),
                .admit("10.0.0.1", .tooManyConnections),
                .admit("10.0.0.2", nil), .close("10.0.0.2"), .admit("10.0.0.1", .tooManyConnections),
                .close("10.0.0.1"), .admit("10.0.0.1", nil),
                .admit("10.0.0.1", .tooManyConnections, isNews: true),
                .close("10.0.0.9"), .admit("10.0.0.9", nil), .admit("10.0.0.9", nil),
                .admit("10.0.0.9", .tooManyConnections, isNews: true),
            ])
    }

    @Test(
        "A peer may open a burst of connections, and then a tenth of it per second; refused ones cost nothing"
    )
    func rate() throws {
        let ten = Array(repeating: Step.admit("10.0.0.1", nil), count: 10)
        let refused = Array(repeating: Step.admit("10.0.0.1", .tooManyNewConnections), count: 50)
        try check(
            PeerTable(maxOpen: nil, maxNew: 10),
            ten + [.admit("10.0.0.1", .tooManyNewConnections, isNews: true)] + refused
                + [
                    .wait(1), .admit("10.0.0.1", nil),
                    .admit("10.0.0.1", .tooManyNewConnections, isNews: true), .admit("10.0.0.2", nil),
                    .wait(100),
                ] + ten + [.admit("10.0.0.1", .tooManyNewConnections, isNews: true)])
    }

    @Test("The addresses of an IPv6 /64 are one peer, and a mapped IPv4 address is that address")
    func networks() throws {
        try check(
            PeerTable(maxOpen: 1, maxNew: nil),
            [
                .admit("2001:db8::1", nil), .admit("2001:db8::ffff:2", .tooManyConnections, isNews: true),
                .admit("2001:db8:0:1::1", nil), .admit("fe80::1%lo", nil),
                .admit("fe80::2", .tooManyConnections, isNews: true),
                .admit("::ffff:10.0.0.1", nil), .admit("10.0.0.1", .tooManyConnections, isNews: true),
                .admit("10.0.0.2", nil),
            ])
    }

    @Test(
        "abuse-A7: a hundred thousand addresses make it no larger, and peers with connections are not forgotten for them"
    )
    func memory() throws {
        var table = PeerTable(maxOpen: 1, maxNew: 10)
        let friend = try address("10.0.0.1")
        #expect(table.admit(friend, at: at(0)) == nil)
        for number in UInt32(0)..<100_000 {
            let bytes =
                [32, 1] + withUnsafeBytes(of: number.bigEndian) { Array($0) }
                + [UInt8](repeating: 0, count: 10)
            let stranger = try #require(IPAddress(bytes: bytes))
            #expect(table.admit(stranger, at: at(1)) == nil)
            table.close(stranger)
        }
        #expect(table.count <= 2 * PeerTable.memory + 1)
        let outcome = table.admit(friend, at: at(1))
        #expect(outcome?.refusal == .tooManyConnections)
    }

    @Test(
        "The address of a peer, without its port",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1"), ("[::1]:80", "::1"), ("[fe80::1%lo]:80", "fe80::1"),
            ("[2001:db8::a:b]:1", "2001:db8::a:b"), ("unix:", nil), ("unix:/a:1", nil), ("", nil),
            ("x:1", nil),
        ] as [(String, String?)])
    func addresses(_ peer: String, _ address: String?) {
        #expect(Peer(address: peer).ipAddress?.text == address)
    }

    @Test(
        "Networks that are trusted",
        arguments: [
            ("10.0.0.0/8", ["10.1.2.3:4"], ["11.0.0.1:4", "unix:", "[::1]:1", ""]),
            (
                "127.0.0.1, fd00::/8,unix", ["127.0.0.1:9", "[fd12::1]:1", "unix:", "unix:/p"],
                ["127.0.0.2:9", ""]
            ),
            ("::1", ["[::1]:1"], ["[::2]:1", "127.0.0.1:1"]),
        ])
    func trusted(_ list: String, _ inside: [String], _ outside: [String]) throws {
        let networks = try TrustedNetworks(list)
        for peer in inside { #expect(networks.contains(Peer(address: peer)), "\(peer)") }
        for peer in outside { #expect(!networks.contains(Peer(address: peer)), "\(peer)") }
    }

    @Test(
        "What is no network is refused",
        arguments: ["", "10.0.0.0/8,", "x", "10.0.0.0/33", "unix:/p", "10.0/8"])
    func untrusted(_ list: String) {
        #expect(throws: TrustedNetworks.Invalid.self) { try TrustedNetworks(list) }
    }
}
