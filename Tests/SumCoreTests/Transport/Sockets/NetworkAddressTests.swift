import Testing

@testable import SumCore

@Suite struct NetworkAddressTests {
    @Test(
        "An address has a host and a port, or a path, and is read as it is written",
        arguments: [
            ("127.0.0.1:50051", .ip(host: "127.0.0.1", port: 50051)),
            ("[::1]:0", .ip(host: "::1", port: 0)),
            ("[fe80::1%eth0]:1", .ip(host: "fe80::1%eth0", port: 1)),
            ("sum.example:443", .ip(host: "sum.example", port: 443)),
            ("unix:/run/sum.sock", .unix(path: "/run/sum.sock")),
            ("unix:sum.sock", .unix(path: "sum.sock")),
            ("unix:////run", .unix(path: "//run")),
        ] as [(String, NetworkAddress)])
    func texts(_ text: String, _ address: NetworkAddress) {
        #expect(NetworkAddress(text) == address)
        #expect(address.description == text)
        #expect(Peer(address: text).networkAddress == address)
        #expect((address.host == nil) == (address.path != nil))
        #expect((address.host == nil) == (address.port == nil))
        #expect(Target(address).description == text)
    }

    @Test(
        "What is not an address is none",
        arguments: ["", "in-process", "127.0.0.1", ":50051", "a:70000", "[::1"])
    func others(_ text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test(
        "A target of an address is that of its text",
        arguments: ["127.0.0.1:50051", "[fe80::1%eth0]:1", "unix:/a"])
    func target(_ text: String) throws {
        let address = try #require(NetworkAddress(text))
        #expect(Target(address) == (try Target(text)))
    }
}
