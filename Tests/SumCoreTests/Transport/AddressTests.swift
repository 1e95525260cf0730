import NIOCore
import Testing

@testable import SumCore

@Suite struct AddressTests {
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
        "grpc-K11: what is no target",
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

    @Test(
        "Where a server can listen",
        arguments: [
            ("127.0.0.1:0", .host("127.0.0.1", port: 0)), ("[::1]:1", .host("::1", port: 1)),
            (":50051", .allInterfaces(port: 50051)),
            ("unix:/a", .unix(path: "/a")), ("h", nil), ("h:65536", nil), ("unix:", nil), ("", nil),
            ("h:-1", nil), ("\u{70f}:1", .host("\u{70f}", port: 1)),
            ("[fe80::1%eth0]:1", .host("fe80::1%eth0", port: 1)), ("[:\u{592}1]:1", nil),
            ("*:7", .allInterfaces(port: 7)), ("unix:///a", .unix(path: "/a")), ("unix:a", .unix(path: "a")),
            ("unix://a/b", nil), ("dns:///h:1", .host("h", port: 1)),
            ("ipv4:1.2.3.4:5", .host("1.2.3.4", port: 5)),
            ("ipv4:1.2.3.4:5,1.2.3.4:6", nil), ("ipv6:[::1]:5", .host("::1", port: 5)),
        ] as [(String, ListenAddress?)])
    func listenAddresses(_ text: String, _ address: ListenAddress?) {
        #expect((try? ListenAddress(text)) == address)
    }

    @Test(
        "Addresses are shown as they are written",
        arguments: [
            ("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7"), ("::ffff:127.0.0.1", "127.0.0.1:7"),
            ("::", "[::]:7"), ("0.0.0.0", "0.0.0.0:7"),
        ])
    func shown(_ ip: String, _ text: String) throws {
        #expect(ListenAddress.describe(try SocketAddress(ipAddress: ip, port: 7)) == text)
    }

    @Test(
        "audit-C3: a text that is no address says what is wrong with it",
        arguments: [
            ("unix://tmp/x", "has two slashes: write unix:///tmp/x if the path is absolute, or unix:tmp/x"),
            ("h:x", "'x' is not a port, a number up to 65535"),
            ("[::1", "a bracket is not closed"),
            ("ipv4:localhost:1", "has 'localhost:1', where there is to be an IPv4 address"),
            ("http://h:1", "'http://h:1' is not an IPv6 address"),
        ])
    func faults(_ text: String, _ reason: String) {
        let target = #expect(throws: InvalidAddress.self) { try Target(text) }
        #expect(target?.description.hasPrefix("the target '\(text)' ") == true)
        #expect(target?.description.hasSuffix(reason) == true)
        let address = #expect(throws: InvalidAddress.self) { try ListenAddress(text) }
        #expect(address?.description.hasPrefix("the address '\(text)' ") == true)
        #expect(address?.description.hasSuffix(reason) == true)
    }

    @Test(
        "audit-C3: a host alone, in brackets or not; an empty one does not mean every interface",
        arguments: [
            ("::1", .host("::1", port: 7)), ("[::1]", .host("::1", port: 7)), ("h", .host("h", port: 7)),
            ("0.0.0.0", .host("0.0.0.0", port: 7)), ("*", .allInterfaces(port: 7)), ("", nil), ("h:1", nil),
            ("[::1]:1", nil), ("unix:/a", nil),
        ] as [(String, ListenAddress?)])
    func hosts(_ text: String, _ address: ListenAddress?) {
        #expect((try? ListenAddress(host: text, port: 7)) == address)
    }

    @Test(
        "audit-C3: the path of a Unix domain socket may have 107 bytes", arguments: [1, 103, 104, 107, 108])
    func longPath(_ length: Int) throws {
        let path = String(repeating: "x", count: length)
        guard length <= 107 else {
            let error = #expect(throws: InvalidAddress.self) { try SocketAddress(unixPath: path) }
            #expect(error?.description == "the path has 108 bytes, and that of a socket has 107 at most")
            return
        }
        #expect(ListenAddress.describe(try SocketAddress(unixPath: path)) == "unix:\(path)")
    }

    @Test(
        "audit-C3: a link-local address is shown with the interface, without which nobody can connect to it")
    func zone() throws {
        for host in ["fe80::1%lo", "fe80::1%4000000"] {
            let address = try SocketAddress.makeAddressResolvingHost(host, port: 7)
            #expect(ListenAddress.describe(address) == "[\(host)]:7")
        }
    }

    @Test("audit-C3: a kernel's time limit stays within an int of milliseconds")
    func userTimeout() {
        #expect(TimeAmount.hours(597).asUserTimeout == 2_147_483_647)
        #expect(TimeAmount.seconds(30).asUserTimeout == 30_000)
        #expect(TimeAmount.nanoseconds(1).asUserTimeout == 1)
    }

    @Test(
        "audit-C6: a duration says what would be right",
        arguments: [
            ("5", "a duration is a number with a unit, such as 500ms, 1.5s or 1h30m"),
            ("", "a duration is a number with a unit, such as 500ms, 1.5s or 1h30m"),
            ("-1s", "a duration cannot be negative"), ("1000001h", "a duration is at most 1000000h"),
        ])
    func wrongDurations(_ text: String, _ reason: String) {
        let error = #expect(throws: InvalidDuration.self) { try Duration(text: text) }
        #expect(error?.description == reason)
    }

    @Test(
        "audit-C6: durations are written as they are read",
        arguments: ["0s", "1ns", "1500us", "250ms", "90s", "2h", "61m", "1000000h"])
    func durationText(_ text: String) throws {
        #expect(try Duration(text: text).text == text)
    }

    @Test(
        "Durations",
        arguments: [
            ("1s", .seconds(1)), ("250ms", .milliseconds(250)), ("1.5m", .seconds(90)),
            ("2h", .seconds(7200)), ("0s", .zero),
            ("1h30m", .seconds(5400)), ("1m1.5s", .milliseconds(61_500)), ("3us", .microseconds(3)),
            ("100ns", .nanoseconds(100)), ("0.1s", .milliseconds(100)), ("1.s", .seconds(1)),
            ("1000000h", .seconds(3_600_000_000)), ("1000000h1ns", nil), ("1h30", nil), ("1hm", nil),
            ("1d", nil),
            ("99999999999999999999ns", nil), ("0.00000000000000000000000001h", .zero), ("1s-1s", nil),
            ("1", nil), ("s", nil), ("-1s", nil), (".5s", nil), ("1e3s", nil), ("1..5s", nil),
            ("9999999h", nil), ("1 s", nil),
        ] as [(String, Duration?)])
    func durations(_ text: String, _ duration: Duration?) {
        #expect((try? Duration(text: text)) == duration)
    }
}
