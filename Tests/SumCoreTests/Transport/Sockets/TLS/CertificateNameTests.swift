import Testing

@testable import SumCore

@Suite struct CertificateNameTests {
    @Test(
        "A name matches a certificate as RFC 9525 says",
        arguments: [
            ("sum.example", [.dns("sum.example")], true),
            ("SUM.Example", [.dns("sum.eXample")], true),
            ("sum.example.", [.dns("sum.example")], true),
            ("sum.example", [.dns("sum.example.")], true),
            ("a_b.example", [.dns("a_b.example")], true),
            ("sum.example", [.dns("other.example"), .dns("sum.example")], true),
            ("sum.example", [.dns("sum.example.org")], false),
            ("sum.example", [], false),
            // A whole label at the beginning.
            ("a.sum.example", [.dns("*.sum.example")], true),
            ("sum.example", [.dns("*.sum.example")], false),
            ("a.b.sum.example", [.dns("*.sum.example")], false),
            ("a.sum.example", [.dns("a.*.example")], false),
            ("ab.sum.example", [.dns("a*.sum.example")], false),
            ("sum", [.dns("*")], false),
            (".sum.example", [.dns("*.sum.example")], false),
            // Addresses, in whatever way they are written.
            ("127.0.0.1", [.ipAddress("127.0.0.1")], true),
            ("::1", [.ipAddress("::1")], true),
            ("0:0:0:0:0:0:0:1", [.ipAddress("::1")], true),
            ("127.0.0.1", [.dns("127.0.0.1")], false),
            ("127.0.0.1", [.ipAddress("127.0.0.2")], false),
            ("localhost", [.ipAddress("127.0.0.1")], false),
            // Other kinds of names do not count.
            ("sum.example", [.uri("sum.example"), .email("sum.example")], false),
        ] as [(String, [PeerIdentity], Bool)])
    func matching(_ host: String, _ names: [PeerIdentity], _ isMatch: Bool) throws {
        #expect(try CertificateName(host).matches(names) == isMatch)
    }

    @Test(
        "The name is sent without its last dot, an address is not sent",
        arguments: [
            ("Sum.Example.", "sum.example"), ("localhost", "localhost"), ("127.0.0.1", nil), ("::1", nil),
        ])
    func sni(_ host: String, _ sent: String?) throws {
        #expect(try CertificateName(host).sni == sent)
    }

    @Test(
        "What cannot be a server's name is refused",
        arguments: ["", ".", "b\u{fc}cher.example", "a b", "a\0b", String(repeating: "a", count: 254)])
    func refused(_ host: String) {
        #expect(throws: ConnectFailure.self) { try CertificateName(host) }
    }
}
