import NIOCore
import Testing

@testable import SumCore

@Suite struct SocketAddressTests {
    @Test(
        "audit-C3: the path of a Unix domain socket may have 107 bytes", arguments: [1, 103, 104, 107, 108])
    func longPath(_ length: Int) throws {
        let path = String(repeating: "x", count: length)
        guard length <= 107 else {
            let error = #expect(throws: InvalidAddress.self) { try SocketAddress(unixPath: path) }
            #expect(error?.description == "the path has 108 bytes, but a socket's path can have at most 107")
            return
        }
        #expect((try SocketAddress(unixPath: path)).text == "unix:\(path)")
    }
}
