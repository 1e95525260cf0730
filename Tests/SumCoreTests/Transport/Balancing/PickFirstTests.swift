import NIOCore
import Testing

@testable import SumCore

@Suite struct PickFirstTests {
    private let refused = ConnectFailure(description: "refused", isTemporary: true)

    private func policy(_ count: Int, at now: NIODeadline = .at(0)) throws -> PickFirst {
        var policy = PickFirst()
        #expect(policy.update(try (1...count).map { try .host($0) }, at: now) == [])
        return policy
    }

    @Test("Nothing is connected before a call wants it, then the first address")
    func lazy() throws {
        var policy = try policy(2)
        #expect(policy.state == .idle)
        #expect(policy.nextTick == .distantFuture)
        #expect(policy.connect(at: .at(0)) == [.connect(1)])
        #expect(policy.state == .connecting)
        #expect(policy.connect(at: .at(1)) == [])
    }

    @Test(
        "grpc-K12: a silent address delays the next by 250 ms, a refusal not at all; the first that is ready wins"
    )
    func happyEyeballs() throws {
        var policy = try policy(4)
        #expect(policy.connect(at: .at(0)) == [.connect(1)])
        #expect(policy.nextTick == .at(250))
        #expect(policy.tick(at: .at(249)) == [])
        #expect(policy.tick(at: .at(250)) == [.connect(2)])
        #expect(policy.nextTick == .at(500))
        #expect(policy.failed(2, refused, at: .at(260)) == [.connect(3)])
        #expect(policy.nextTick == .at(510))
        #expect(policy.tick(at: .at(510)) == [.connect(4)])
        #expect(policy.nextTick == .distantFuture)
        #expect(policy.connected(3, at: .at(520)) == [.release(1), .release(4)])
        #expect(policy.state == .ready)
        #expect(policy.subchannels.filter(\.isReady).map(\.id) == [3])
        // One that was ready at the same moment is too late.
        #expect(policy.connected(4, at: .at(520)) == [.release(4)])
    }

    @Test("An earlier address that fails does not hasten the one after the next")
    func earlierFailure() throws {
        var policy = try policy(3)
        _ = policy.connect(at: .at(0))
        _ = policy.tick(at: .at(250))
        #expect(policy.failed(1, refused, at: .at(300)) == [])
        #expect(policy.nextTick == .at(500))
    }

    @Test(
        "grpc-K12: when each address has failed once, the state is TRANSIENT_FAILURE until one is ready, and each tries again"
    )
    func sticky() throws {
        var policy = try policy(2)
        _ = policy.connect(at: .at(0))
        #expect(policy.failed(1, refused, at: .at(0)) == [.connect(2)])
        #expect(policy.failed(2, refused, at: .at(5)) == [.resolve])
        #expect(policy.state == .transientFailure)
        let first = try #require(policy.subchannels[0].retryTime)
        #expect(policy.nextTick == min(first, try #require(policy.subchannels[1].retryTime)))
        #expect(policy.tick(at: .at(100)) == [.connect(1), .connect(2)])
        #expect(policy.state == .transientFailure)
        #expect(policy.failed(1, refused, at: .at(100)) == [.resolve])
        #expect(policy.connected(2, at: .at(101)) == [])
        #expect(policy.state == .ready)
    }

    @Test(
        "grpc-K12: a lost connection is not replaced before a call wants it; then all addresses are tried from the first"
    )
    func lost() throws {
        var policy = try policy(2)
        _ = policy.connect(at: .at(0))
        _ = policy.failed(1, refused, at: .at(0))
        _ = policy.connected(2, at: .at(1))
        #expect(policy.lost(1, refused, at: .at(5000)) == [])
        #expect(policy.lost(2, refused, at: .at(5000)) == [.resolve])
        #expect(policy.state == .idle)
        #expect(policy.connect(at: .at(6000)) == [.connect(1)])
    }

    @Test("A connection that was lost at once pauses, and the others go first")
    func shortLife() throws {
        var policy = try policy(2)
        _ = policy.connect(at: .at(0))
        _ = policy.connected(1, at: .at(1))
        #expect(policy.lost(1, refused, at: .at(2)) == [.resolve])
        #expect(policy.connect(at: .at(2)) == [.connect(2)])
        #expect(policy.failed(2, refused, at: .at(3)) == [.resolve])
        #expect(policy.state == .transientFailure)
    }

    @Test("New addresses keep the connection in use if its address remains, else it is let go")
    func update() throws {
        var policy = try policy(2)
        _ = policy.connect(at: .at(0))
        _ = policy.connected(1, at: .at(1))
        #expect(policy.update([try .host(3), try .host(1)], at: .at(2)) == [])
        #expect(policy.state == .ready)
        #expect(policy.subchannels.map(\.id) == [3, 1])
        #expect(policy.update([try .host(3)], at: .at(3)) == [.release(1)])
        #expect(policy.state == .idle)
        #expect(policy.connect(at: .at(3)) == [.connect(3)])
    }

    @Test("New addresses while connecting begin the pass anew, and keep the attempts that still count")
    func updateWhileConnecting() throws {
        var policy = try policy(2)
        _ = policy.connect(at: .at(0))
        #expect(policy.update([try .host(2), try .host(3)], at: .at(1)) == [.release(1), .connect(2)])
        #expect(policy.failed(1, refused, at: .at(2)) == [])
        #expect(policy.failed(2, refused, at: .at(2)) == [.connect(3)])
    }

    @Test(
        "grpc-K12: the families take turns, beginning with the first address's, and repetitions are dropped")
    func interleaving() throws {
        var addresses = try (1...3).map { try ServerAddress.host($0, v6: true) }
        addresses += try (1...2).map { try .host($0) } + [addresses[0]]
        let expected = [
            "[2001:db8::1]:50051", "127.0.0.1:50051", "[2001:db8::2]:50051", "127.0.0.2:50051",
            "[2001:db8::3]:50051",
        ]
        #expect(addresses.interleaved.map(\.description) == expected)
        #expect([ServerAddress]().interleaved == [])
        var policy = PickFirst()
        _ = policy.update(addresses, at: .at(0))
        #expect(policy.subchannels.map(\.address.description) == expected)
    }

    @Test(
        "grpc-K12: shuffled addresses are the same ones in any order, and not shuffled again while they stay the same"
    )
    func shuffling() throws {
        let addresses = try (1...50).map { try ServerAddress.host($0) }
        var policy = PickFirst(isShuffled: true)
        _ = policy.update(addresses, at: .at(0))
        let order = policy.subchannels.map(\.address)
        #expect(order != addresses)
        #expect(Set(order) == Set(addresses))
        #expect(policy.update(addresses.reversed(), at: .at(1)) == [])
        #expect(policy.subchannels.map(\.address) == order)
    }
}
