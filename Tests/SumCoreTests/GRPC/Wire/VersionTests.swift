import Testing

@testable import SumCore

@Suite struct VersionTests {
    @Test("grpc-R4: our part of the user agent begins with grpc-")
    func userAgent() {
        #expect(Version.userAgent(after: "a/1").hasPrefix("a/1 grpc-swift-sum/"))
        #expect(Version.userAgent(after: " a").hasPrefix("a grpc-swift-sum/"))
        #expect(Version.userAgent(after: "").hasPrefix("grpc-swift-sum/\(Version.current) ("))
        #expect(Version.userAgent(after: "").contains("nghttp2/1."))
    }
}
