import Testing

@testable import SumCore

@Suite struct HTTPProxyTests {
    @Test(
        "URLs with their host, port and Basic credentials",
        arguments: [
            ("http://p:3128", "http://p:3128", nil),
            ("http://p", "http://p:80", nil),
            ("http://p:", "http://p:80", nil),
            ("http://p:3128/", "http://p:3128", nil),
            ("HTTP://P.Example:1", "http://P.Example:1", nil),
            ("p:3128", "http://p:3128", nil),
            ("p", "http://p:80", nil),
            ("127.0.0.1:8080", "http://127.0.0.1:8080", nil),
            ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128", nil),
            ("[::1]", "http://[::1]:80", nil),
            ("[::ffff:10.0.0.1]:1", "http://[::ffff:10.0.0.1]:1", nil),
            ("http://[fe80::1%25eth0]:1", "http://[fe80::1%eth0]:1", nil),
            ("http://[fe80::1%eth0]", "http://[fe80::1%eth0]:80", nil),
            ("http://my_proxy-1.corp.example:65535", "http://my_proxy-1.corp.example:65535", nil),
            ("http://@p:1", "http://p:1", nil),
            // The example of RFC 7617 section 2.
            ("http://Aladdin:open%20sesame@p:1", "http://p:1", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("Aladdin:open%20sesame@p:1", "http://p:1", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("http://u@p", "http://p:80", "Basic dTo="),
            ("http://u:@p", "http://p:80", "Basic dTo="),
            ("http://:w@p", "http://p:80", "Basic Onc="),
            ("http://u:a:b@p", "http://p:80", "Basic dTphOmI="),
            ("http://u:a@b@p", "http://p:80", "Basic dTphQGI="),
            ("http://u:%2F%3f%23%40%25@p", "http://p:80", "Basic dTovPyNAJQ=="),
            ("http://u:%C3%A9@p", "http://p:80", "Basic dTrDqQ=="),
        ] as [(String, String, String?)])
    func valid(_ text: String, _ url: String, _ authorization: String?) throws {
        let proxy = try HTTPProxy(text)
        #expect(proxy.description == url)
        #expect(proxy.authorization == authorization)
    }

    @Test(
        "What is no proxy is refused with the reason",
        arguments: [
            ("", "it has no host"),
            ("http://", "it has no host"),
            ("http://:3128", "it has no host"),
            ("http://u:w@", "it has no host"),
            ("https://p:3128", "https:// is not supported, only http://"),
            ("SOCKS5://p:1080", "socks5:// is not supported, only http://"),
            ("ftp://p", "its scheme is not supported, only http://"),
            ("http://p:0", "its port is not a number from 1 to 65535"),
            ("http://p:65536", "its port is not a number from 1 to 65535"),
            ("http://p:+1", "its port is not a number from 1 to 65535"),
            ("http://user:word", "its port is not a number from 1 to 65535"),
            ("http://2001:db8::1", "it has too many colons (an IPv6 address needs brackets)"),
            ("http://[p]:1", "what it has in brackets is not an IPv6 address"),
            ("http://[::1", "what it has in brackets is not an IPv6 address"),
            ("http://[127.0.0.1]:1", "what it has in brackets is not an IPv6 address"),
            ("http://[::1]1", "its brackets are not followed by a port"),
            ("http://p|q:1", "its host has a character that no name has"),
            ("http://p q:1", "it has a space or a control character"),
            (" http://p:1", "it has a space or a control character"),
            ("http://p:1\n", "it has a space or a control character"),
            ("http://u:a b@p", "it has a space or a control character"),
            ("http://p:1/x", Self.tooLong), ("http://p:1?x", Self.tooLong), ("http://p:1#", Self.tooLong),
            ("http://u:a/b@p:1", Self.tooLong), ("u:a://b@p:1", Self.tooLong),
            ("http://u:%@p", Self.badEscape), ("http://u:%2@p", Self.badEscape),
            ("http://u:%+1@p", Self.badEscape), ("http://%zz@p", Self.badEscape),
            ("http://a%3Ab:w@p", "its user name has a colon"),
        ])
    func invalid(_ text: String, _ reason: String) {
        let error = #expect(throws: InvalidAddress.self) { try HTTPProxy(text) }
        #expect(error?.description == "\(reason); write it as http://[USER:PASSWORD@]HOST[:PORT]")
    }

    private static let tooLong =
        "it has more after the host than a port (in a password, write / ? # as %2F %3F %23)"
    private static let badEscape =
        "its user name or password has a '%' that is not followed by two hex digits"

    @Test("User name and password are in no text, however a proxy is printed")
    func secrets() throws {
        struct Holder {
            var proxy: HTTPProxy
            var setting: ProxySetting
            var route: Route
        }
        let proxy = try HTTPProxy("http://alice:s3cret@p:3128")
        let tunnel = Tunnel(proxy: proxy, host: "sum", port: 50051)
        let holder = Holder(
            proxy: proxy, setting: .through(proxy), route: .tunnel(tunnel, source: "https_proxy"))
        var configuration = GRPCClient.Configuration()
        configuration.proxy = .through(proxy)
        var texts = [
            "\(proxy)", String(reflecting: proxy), "\(holder)", String(reflecting: holder), "\(tunnel)",
            "\(Optional(proxy) as Any)", "\([proxy: tunnel])", "\(TunnelHandshake(tunnel))",
            "\(configuration)",
        ]
        var dumped = ""
        dump(holder, to: &dumped)
        dump(configuration, to: &dumped)
        dump(TunnelHandshake(tunnel), to: &dumped)
        texts.append(dumped)
        #expect(dumped.contains("http://p:3128"))
        for text in texts {
            for secret in ["alice", "s3cret", "YWxpY2U6czNjcmV0"] {
                #expect(!text.contains(secret), "\(text)")
            }
        }
    }

    @Test(
        "Errors do not quote what may be a password",
        arguments: [
            "http://alice:s3cret", "http://alice:s3cret@", "http://alice:s3/cret@p", "alice:s3cret@p:x",
            "https://alice:s3cret@p", "s3cret://alice@p", "http://alice:s3cret@p q", "http://alice:s3%cret@p",
            "http://[alice:s3cret]@p:y", "alice:s3cret:1", "http://alice%3As3cret@p",
            "http://p:1/alice:s3cret",
        ])
    func quotes(_ text: String) {
        let error = #expect(throws: InvalidAddress.self) { try HTTPProxy(text) }
        let words = "\(error?.description ?? "") \(error.map { String(reflecting: $0) } ?? "")"
        #expect(!words.contains("s3") && !words.contains("cret") && !words.contains("alice"))
    }
}
