import Testing

@testable import SumCore

@Suite struct TargetTests {
    @Test(
        "grpc-K11: targets",
        arguments: [
            ("h", [.host("h", port: 50051)], "h:50051"),
            ("h:1", [.host("h", port: 1)], "h:1"),
            ("dns:///h:1", [.host("h", port: 1)], "h:1"),
            ("dns:h", [.host("h", port: 50051)], "h:50051"),
            ("[::1]:2", [.host("::1", port: 2)], "[::1]:2"),
            ("::1", [.host("::1", port: 50051)], "[::1]:50051"),
            (
                "ipv4:1.2.3.4:5,6.7.8.9:10", [.host("1.2.3.4", port: 5), .host("6.7.8.9", port: 10)],
                "1.2.3.4:5"
            ),
            ("ipv6:[::1]:5", [.host("::1", port: 5)], "[::1]:5"),
            ("unix:a/b", [.unix(path: "a/b")], "localhost"),
            ("unix:///a/b", [.unix(path: "/a/b")], "localhost"),
            ("unix:////a", [.unix(path: "//a")], "localhost"),
            ("ipv4:1.2.3.4", [.host("1.2.3.4", port: 50051)], "1.2.3.4:50051"),
            ("ipv6:::1", [.host("::1", port: 50051)], "[::1]:50051"),
            ("127.1:5", [.host("127.1", port: 5)], "127.1:5"),
            ("[fe80::1%eth0]:5", [.host("fe80::1%eth0", port: 5)], "[fe80::1]:5"),
        ] as [(String, [Target.Endpoint], String)])
    func targets(_ text: String, _ endpoints: [Target.Endpoint], _ authority: String) throws {
        let target = try Target(text)
        #expect(target.endpoints == endpoints)
        #expect(target.authority == authority)
    }

    @Test(
        "grpc-K11: invalid targets",
        arguments: [
            "", ":1", "h:", "h:0", "h:65536", "h:x", "x:y:z", "[::1", "[::1]x", "dns://8.8.8.8/h", "unix:",
            "ipv4:", "h/p:1", "[h]:1", "unix-abstract:a",
            "%:1:2", "::1%]", "unix://a/b", "unix://", "*:1", "ipv4:localhost:1", "ipv4:127.1:1",
            "ipv4:[::1]:1",
            "ipv6:1.2.3.4:5", "ipv4:1.2.3.4:5,", "http://h:1",
        ])
    func notTargets(_ text: String) {
        #expect(throws: InvalidAddress.self) { try Target(text) }
    }
}
