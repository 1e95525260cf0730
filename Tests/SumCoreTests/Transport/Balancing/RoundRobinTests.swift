import NIOCore
import Testing

@testable import SumCore

@Suite struct RoundRobinTests {
    private let refused = ConnectFailure(description: "refused", isTemporary: true)

    private func policy(_ count: Int) throws -> RoundRobin {
        var policy = RoundRobin()
        #expect(policy.update(try (1...count).map { try .host($0) }, at: .at(0)) == [])
        #expect(policy.state == .idle)
        return policy
    }

    @Test("grpc-K21: all addresses are connected at once, when a call wants it")
    func connect() throws {
        var policy = try policy(3)
        #expect(policy.connect(at: .at(0)) == [.connect(1), .connect(2), .connect(3)])
        #expect(policy.connect(at: .at(0)) == [])
        #expect(policy.state == .connecting)
        #expect(policy.connected(2, at: .at(1)) == [])
        #expect(policy.state == .ready)
        #expect(policy.failed(1, refused, at: .at(2)) == [.resolve])
        #expect(policy.state == .ready)
    }

    @Test("A failed address is tried again after its pause, whatever the others do")
    func retry() throws {
        var policy = try policy(2)
        _ = policy.connect(at: .at(0))
        _ = policy.connected(1, at: .at(0))
        _ = policy.failed(2, refused, at: .at(0))
        let retry = try #require(policy.subchannels[1].retryTime)
        #expect(policy.nextTick == retry)
        #expect(policy.tick(at: retry - .nanoseconds(1)) == [])
        #expect(policy.tick(at: retry) == [.connect(2)])
    }

    @Test("grpc-K21: a lost connection is replaced at once, unless it was lost at once")
    func lost() throws {
        var policy = try policy(2)
        _ = policy.connect(at: .at(0))
        _ = policy.connected(1, at: .at(0))
        _ = policy.connected(2, at: .at(0))
        #expect(policy.lost(1, refused, at: .at(5000)) == [.connect(1), .resolve])
        #expect(policy.lost(2, refused, at: .at(10)) == [.resolve])
        #expect(policy.subchannels[1].hasFailed)
    }

    @Test("grpc-K21: when all have failed, the state is TRANSIENT_FAILURE until one is ready")
    func sticky() throws {
        var policy = try policy(2)
        _ = policy.connect(at: .at(0))
        _ = policy.failed(1, refused, at: .at(0))
        #expect(policy.state == .connecting)
        _ = policy.failed(2, refused, at: .at(0))
        #expect(policy.state == .transientFailure)
        #expect(policy.tick(at: .at(100)) == [.connect(1), .connect(2)])
        #expect(policy.state == .transientFailure)
        _ = policy.connected(1, at: .at(101))
        #expect(policy.state == .ready)
        _ = policy.lost(1, refused, at: .at(5000))
        #expect(policy.state == .connecting)
        _ = policy.failed(1, refused, at: .at(5001))
        #expect(policy.state == .transientFailure)
    }

    @Test("Addresses that come are connected, those that go are let go, and the rest stay as they are")
    func update() throws {
        var policy = try policy(2)
        _ = policy.connect(at: .at(0))
        _ = policy.connected(1, at: .at(0))
        _ = policy.connected(2, at: .at(0))
        #expect(policy.update([try .host(3), try .host(2)], at: .at(1)) == [.release(1), .connect(3)])
        #expect(policy.subchannels.filter(\.isReady).map(\.id) == [2])
        #expect(policy.connected(1, at: .at(2)) == [.release(1)])
        #expect(policy.update([try .host(2), try .host(3)], at: .at(2)) == [])
    }
}
