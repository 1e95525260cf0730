import Testing

@testable import SumCore

@Suite struct PeerTests {
    @Test(
        "A peer is described by its address, as it can be dialled, or as unknown",
        arguments: [
            ("127.0.0.1:40000", "127.0.0.1:40000"), ("[::1]:40000", "[::1]:40000"),
            ("unix:/run/sum.sock", "unix:/run/sum.sock"), ("", "?"),
        ])
    func description(_ address: String, _ text: String) {
        #expect("\(Peer(address: address))" == text)
    }
}
