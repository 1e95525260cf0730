import Testing

@testable import SumCore

/// The rules of golang.org/x/net/http/httpproxy. The first list and its hosts are the cases of that package's own test
/// (proxy_test.go, `UseProxyTests`), which documents them.
@Suite struct ProxyExceptionsTests {
    private static let list = """
        foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, \
        2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64
        """

    /// Hosts at port 80, with the entry that stands for them.
    private static let hosts: [(String, String?)] = [
        ("::2", nil),
        ("192.168.1.1", "192.168.1.1"), ("192.168.1.2", nil), ("192.168.1.3", "192.168.1.3:80"),
        ("192.168.1.4", nil), ("10.0.0.2", "10.0.0.0/30"), ("10.0.0.4", nil),
        ("2001:db8::52:0:1", "2001:db8::52:0:1"), ("2001:db8::52:0:2", nil),
        ("2001:db8::52:0:3", "[2001:db8::52:0:3]:80"), ("2002:db8:a::123", "2002:db8:a::45/64"),
        ("fe80::424b:c8be:1643:a1b6", nil),
        ("barbaz.net", nil), ("www.barbaz.net", ".barbaz.net"), ("foobar.com", "foobar.com"),
        ("www.foobar.com", "foobar.com"), ("foofoobar.com", nil), ("baz.com", nil), ("localhost.net", nil),
        ("local.localhost", nil), ("barbarbaz.net", nil), ("wildcard.io", nil),
        ("nested.wildcard.io", "*.wildcard.io"), ("awildcard.io", nil),
    ]

    @Test("Go's table", arguments: hosts)
    func goTable(_ host: String, _ entry: String?) {
        #expect(ProxyExceptions(Self.list).entry(for: host, port: 80) == entry)
        #expect(ProxyExceptions("*").entry(for: host, port: 80) == "*")
        #expect(ProxyExceptions("\(Self.list),*").entry(for: host, port: 80) != nil)
    }

    @Test(
        "Single entries, as in Go",
        arguments: [
            ("example.com", "example.com", true), (".example.com", "example.com", false),
            ("ample.com", "example.com", false), ("example.com", "foo.example.com", true),
            (".foo.com", "example.com", false),
            // CVE-2025-22870
            ("example.com", "1000::%.example.com", false), ("3.4", "1.2.3.4", false), ("3.4", "a.3.4", true),
            (":1", "example.com", false), ("", "example.com", false), (",,", "example.com", false),
            ("EXAMPLE.com", "Example.COM", true), ("  example.com ,", "example.com", true),
            ("\texample.com\n", "example.com", true), ("a.b,example.com,", "example.com", true),
            ("example.com:80", "example.com", true), ("example.com:81", "example.com", false),
            ("example.com:", "example.com", true), ("example.com:http", "example.com", false),
            (".example.com:80", "foo.example.com", true), ("*.example.com:80", "foo.example.com", true),
            ("*.example.com:81", "foo.example.com", false), ("*:80", "example.com", false),
            ("exam*.com", "example.com", false), (".", "example.com", false), ("*.", "example.com", false),
            ("example.com bar.com", "example.com", false),
            ("[2001:db8::1]", "2001:db8::1", true), ("2001:db8:0:0::1", "2001:db8::1", true),
            ("[2001:db8::1]:80", "2001:db8::1", true), ("[2001:db8::1]:81", "2001:db8::1", false),
            ("2001:DB8::1", "2001:db8::1", true), ("[2001:db8::1", "2001:db8::1", false),
            ("fe80::1", "fe80::1%eth0", true), ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/8", "10.1.2.3", false),
            ("10.0.0.0/0", "1.2.3.4", true), ("::/0", "1.2.3.4", false), ("::/0", "2001:db8::1", true),
            ("0.0.0.0/0", "2001:db8::1", false), ("10.1.2.3/32", "10.1.2.3", true),
            ("10.1.2.3/32", "10.1.2.4", false), ("10.0.0.0/33", "10.0.0.0", false),
            ("2001:db8::/128", "2001:db8::", true), ("2001:db8::/129", "2001:db8::", false),
            ("10.0.0.0/-1", "10.0.0.0", false), ("10.0.0.0/+8", "10.0.0.0", false),
            ("10.0.0.0/", "10.0.0.0", false), ("10.0.0.0/8/8", "10.0.0.0", false),
            ("10.0.0.0/99999999999999999999", "10.0.0.0", false), ("a/8", "a", false),
            ("a:b:c", "a", false), ("*.*", "a.b", false), ("xn--fsq092h.com", "www.xn--fsq092h.com", true),
            ("\u{793a}\u{4f8b}.com", "www.\u{793a}\u{4f8b}.com", true),
        ])
    func single(_ list: String, _ host: String, _ isListed: Bool) {
        #expect((ProxyExceptions(list).entry(for: host, port: 80) != nil) == isListed)
    }

    @Test(
        "Unlike in Go, a dot at the end of a name makes no difference",
        arguments: [("example.com.", "example.com"), ("example.com", "example.com."), (".b.", "a.b.")])
    func lastDot(_ list: String, _ host: String) {
        #expect(ProxyExceptions(list).entry(for: host, port: 80) == list)
    }
}
