import NIOCore
import Testing

@testable import SumCore

@Suite struct AddressTests {
    @Test(
        "K11: targets",
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
        ] as [(String, [Target.Endpoint], String)])
    func targets(_ text: String, _ endpoints: [Target.Endpoint], _ authority: String) throws {
        let target = try Target(text)
        #expect(target.endpoints == endpoints)
        #expect(target.authority == authority)
    }

    @Test(
        "K11: what is no target",
        arguments: [
            "", ":1", "h:", "h:0", "h:65536", "h:x", "x:y:z", "[::1", "[::1]x", "dns://8.8.8.8/h", "unix:",
            "ipv4:", "h/p:1", "[h]:1", "unix-abstract:a",
            "%:1:2", "::1%]",
        ])
    func notTargets(_ text: String) {
        #expect(throws: Target.Invalid.self) { try Target(text) }
    }

    @Test(
        "Where a server can listen",
        arguments: [
            ("127.0.0.1:0", .host("127.0.0.1", port: 0)), ("[::1]:1", .host("::1", port: 1)),
            (":50051", .allInterfaces(port: 50051)),
            ("unix:/a", .unix(path: "/a")), ("h", nil), ("h:65536", nil), ("unix:", nil), ("", nil),
            ("h:-1", nil), ("\u{70f}:1", .host("\u{70f}", port: 1)),
            ("[fe80::1%eth0]:1", .host("fe80::1%eth0", port: 1)), ("[:\u{592}1]:1", nil),
        ] as [(String, ListenAddress?)])
    func listenAddresses(_ text: String, _ address: ListenAddress?) {
        #expect(ListenAddress(text) == address)
    }

    @Test(
        "Addresses are shown as they are written",
        arguments: [
            ("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7"), ("::ffff:127.0.0.1", "127.0.0.1:7"),
        ])
    func shown(_ ip: String, _ text: String) throws {
        #expect(ListenAddress.describe(try SocketAddress(ipAddress: ip, port: 7)) == text)
    }

    @Test(
        "Durations",
        arguments: [
            ("1s", .seconds(1)), ("250ms", .milliseconds(250)), ("1.5m", .seconds(90)),
            ("2h", .seconds(7200)), ("0s", .zero),
            ("1", nil), ("s", nil), ("-1s", nil), (".5s", nil), ("1e3s", nil), ("1..5s", nil),
            ("9999999h", nil), ("1 s", nil),
        ] as [(String, Duration?)])
    func durations(_ text: String, _ duration: Duration?) {
        #expect(Duration(text: text) == duration)
    }
}
