import NIOCore
import Testing

@testable import SumCore

@Suite struct ListenAddressTests {
    @Test(
        "Listening addresses",
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
        "audit-C3: a host without a port, in brackets or not; an empty one does not mean all interfaces",
        arguments: [
            ("::1", .host("::1", port: 7)), ("[::1]", .host("::1", port: 7)), ("h", .host("h", port: 7)),
            ("0.0.0.0", .host("0.0.0.0", port: 7)), ("*", .allInterfaces(port: 7)), ("", nil), ("h:1", nil),
            ("[::1]:1", nil), ("unix:/a", nil),
        ] as [(String, ListenAddress?)])
    func hosts(_ text: String, _ address: ListenAddress?) {
        #expect((try? ListenAddress(host: text, port: 7)) == address)
    }

    @Test(
        "Addresses are formatted as they are written",
        arguments: [
            ("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7"), ("::ffff:127.0.0.1", "127.0.0.1:7"),
            ("::", "[::]:7"), ("0.0.0.0", "0.0.0.0:7"),
        ])
    func shown(_ ip: String, _ text: String) throws {
        #expect((try SocketAddress(ipAddress: ip, port: 7)).text == text)
    }

    @Test(
        "audit-C3: a link-local address is shown with its interface, without which one cannot connect to it")
    func zone() throws {
        for host in ["fe80::1%lo", "fe80::1%4000000"] {
            let address = try SocketAddress.makeAddressResolvingHost(host, port: 7)
            #expect(address.text == "[\(host)]:7")
        }
    }
}
