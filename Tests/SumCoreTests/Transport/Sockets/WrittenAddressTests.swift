import Testing

@testable import SumCore

@Suite struct WrittenAddressTests {
    @Test(
        "audit-C3: an invalid address is reported with the reason",
        arguments: [
            ("unix://tmp/x", "has two slashes: write unix:///tmp/x if the path is absolute, or unix:tmp/x"),
            ("h:x", "'x' is not a port number, 0 to 65535"),
            ("[::1", "a bracket is not closed"),
            ("ipv4:localhost:1", "has 'localhost:1', which is not an IPv4 address"),
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
}
