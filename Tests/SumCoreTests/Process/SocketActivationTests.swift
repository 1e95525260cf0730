import Testing

@testable import SumCore

@Suite struct SocketActivationTests {
    private typealias Announcement = SocketActivation.Announcement

    private static func announcement(
        _ id: String?, _ count: String?, _ names: String? = nil
    ) throws -> Announcement? {
        let values = ["LISTEN_PID": id, "LISTEN_FDS": count, "LISTEN_FDNAMES": names]
        return try Announcement({ values[$0] ?? nil }, processID: 7)
    }

    @Test("Sockets are announced by the environment, to one process")
    func announced() throws {
        #expect(try Self.announcement("7", "1")?.count == 1)
        #expect(try Self.announcement("7", "2", "grpc:metrics")?.names == ["grpc", "metrics"])
        #expect(try Self.announcement("7", "1")?.name(at: 0) == "unknown")
        #expect(try Self.announcement("7", "2", "grpc:")?.name(at: 1) == "")
    }

    @Test(
        "Nothing is taken that is for another process, or not there",
        arguments: [(nil, nil), ("7", nil), (nil, "1"), ("8", "1"), ("7", "0")] as [(String?, String?)])
    func ignored(_ id: String?, _ count: String?) throws {
        #expect(try Self.announcement(id, count) == nil)
    }

    @Test(
        "An environment that no service manager makes is refused",
        arguments: [("x", "1"), ("7", "x"), ("7", "-1"), ("7", "100000"), ("7", "99999999999999999999")])
    func malformed(_ id: String, _ count: String) {
        #expect(throws: SocketActivation.Failure.self) { try Self.announcement(id, count) }
    }
}
