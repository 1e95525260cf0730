import NIOCore
import Testing

@testable import SumCore

/// The balancer with a clock that is set by hand.
@Suite struct LoadBalancerTests {
    private final class Server: Sendable {}
    private typealias Balancer = LoadBalancer<Server>

    private static let refused = ConnectFailure(description: "Connection refused", isTemporary: true)
    private static let alien = ConnectFailure(description: "it speaks HTTP/1", isTemporary: false)

    private func balancer(_ policy: LoadBalancingPolicy = .pickFirst(), isStatic: Bool = false) -> Balancer {
        Balancer(targetName: "sum:50051", policy: policy, patience: .seconds(2), isStatic: isStatic)
    }

    private func text(_ actions: [Balancer.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .connect(let id, let address): "connect \(id) \(address)"
            case .cancel(let id): "cancel \(id)"
            case .retire: "retire"
            case .resolve: "resolve"
            }
        }
    }

    private func failure(_ balancer: Balancer) -> String? {
        if case .fail(let status) = balancer.picker.choice { status.message } else { nil }
    }

    private func waits(_ balancer: Balancer) -> Bool {
        if case .wait = balancer.picker.choice { true } else { false }
    }

    @Test("grpc-K22: the first call asks for the addresses, then connects the first of them")
    func begin() throws {
        var balancer = balancer()
        #expect(balancer.state == .idle)
        #expect(text(balancer.connect(at: .at(0))) == ["resolve"])
        #expect(balancer.state == .connecting)
        #expect(text(balancer.connect(at: .at(1))) == [])
        #expect(
            text(balancer.resolved(.init(addresses: [try .host(1), try .host(2)]), at: .at(5)))
                == ["connect 1 127.0.0.1:50051"])
        #expect(waits(balancer))
        let server = Server()
        #expect(text(balancer.connected(1, server, at: .at(6))) == [])
        #expect(balancer.state == .ready)
        if case .use(let chosen) = balancer.pick() {
            #expect(chosen === server)
        } else {
            Issue.record("none")
        }
        #expect(balancer.nextTick == .distantFuture)
    }

    @Test(
        "grpc-K9: while the patience lasts calls wait, refused or not; then they fail with the reason of each address"
    )
    func patience() throws {
        var balancer = balancer()
        _ = balancer.connect(at: .at(0))
        _ = balancer.resolved(.init(addresses: [try .host(1), try .host(2)]), at: .at(0))
        _ = balancer.failed(1, Self.refused, at: .at(0))
        balancer.stage(2, "the server took the connection but said nothing")
        #expect(waits(balancer))
        var now = balancer.nextTick
        while now < .at(2000) {
            for action in balancer.tick(at: now) {
                switch action {
                case .connect(let id, _): _ = balancer.failed(id, Self.refused, at: now)
                case .resolve: _ = balancer.resolved(.init(addresses: [try .host(1), try .host(2)]), at: now)
                case .cancel, .retire: Issue.record("\(action)")
                }
            }
            #expect(waits(balancer))
            now = balancer.nextTick
        }
        #expect(now == .at(2000))
        _ = balancer.tick(at: now)
        #expect(
            failure(balancer)
                == "cannot connect to sum:50051: 127.0.0.1:50051: Connection refused; "
                + "127.0.0.2:50051: the server took the connection but said nothing")
    }

    /// A balancer whose patience has just ended, at 2,000 ms, after an attempt at that moment.
    private func exhausted() throws -> Balancer {
        var balancer = balancer(isStatic: true)
        _ = balancer.connect(at: .at(0))
        _ = balancer.resolved(.init(addresses: [try .host(1)]), at: .at(0))
        var now = NIODeadline.at(0)
        // Enough failures that the pauses are longer than a second.
        while balancer.nextTick < .at(2000) || now == .at(0) {
            _ = balancer.failed(1, Self.refused, at: now)
            now = balancer.nextTick
            _ = balancer.tick(at: now)
        }
        _ = balancer.tick(at: .at(2000))
        _ = balancer.failed(1, Self.refused, at: .at(2000))
        return balancer
    }

    @Test(
        "grpc-K9: after that calls fail at once, but a second after the last attempt one tries again and waits for the outcome"
    )
    func afterPatience() throws {
        var balancer = try exhausted()
        #expect(failure(balancer) != nil)
        #expect(balancer.state == .transientFailure)
        // Attempts go on in the background, with growing pauses.
        var last = NIODeadline.at(2000)
        for _ in 0..<6 {
            last = balancer.nextTick
            let actions = text(balancer.tick(at: last))
            #expect(actions == ["connect 1 127.0.0.1:50051"])
            #expect(failure(balancer) != nil)
            _ = balancer.failed(1, Self.refused, at: last)
        }
        #expect(text(balancer.connect(at: last + .milliseconds(999))) == [])
        #expect(failure(balancer) != nil)
        let second = last + .seconds(1)
        #expect(text(balancer.connect(at: second)) == ["connect 1 127.0.0.1:50051"])
        #expect(waits(balancer))
        #expect(text(balancer.connect(at: second + .milliseconds(1))) == [])
        _ = balancer.failed(1, Self.refused, at: second + .milliseconds(2))
        #expect(failure(balancer) == "cannot connect to sum:50051: 127.0.0.1:50051: Connection refused")
    }

    @Test("A connection ends the failures, and its loss begins a new wait")
    func recovery() throws {
        var balancer = try exhausted()
        let now = balancer.nextTick
        _ = balancer.tick(at: now)
        let server = Server()
        _ = balancer.connected(1, server, at: now)
        #expect(balancer.state == .ready)
        _ = balancer.lost(server, Self.refused, at: now + .seconds(60))
        #expect(balancer.state == .idle)
        #expect(waits(balancer))
        #expect(text(balancer.connect(at: now + .seconds(61))) == ["connect 1 127.0.0.1:50051"])
        #expect(waits(balancer))
    }

    @Test("If all fail for good, calls do not wait")
    func permanent() throws {
        var balancer = balancer(isStatic: true)
        _ = balancer.connect(at: .at(0))
        _ = balancer.resolved(.init(addresses: [try .host(1), try .host(2)]), at: .at(0))
        _ = balancer.failed(1, Self.alien, at: .at(0))
        #expect(waits(balancer))
        _ = balancer.failed(2, Self.alien, at: .at(1))
        #expect(
            failure(balancer)
                == "cannot connect to sum:50051: 127.0.0.1:50051: it speaks HTTP/1; "
                + "127.0.0.2:50051: it speaks HTTP/1")
    }

    @Test("A name that does not exist fails at once, one that was not answered for is asked again")
    func unresolved() throws {
        var balancer = balancer()
        _ = balancer.connect(at: .at(0))
        let unknown = ConnectFailure(description: "the name 'sum' cannot be resolved")
        _ = balancer.resolved(.init(failure: unknown), at: .at(1))
        #expect(failure(balancer) == "cannot connect to sum:50051: the name 'sum' cannot be resolved")

        balancer = self.balancer()
        _ = balancer.connect(at: .at(0))
        let unanswered = ConnectFailure(description: "no answer", isTemporary: true)
        _ = balancer.resolved(.init(failure: unanswered), at: .at(1))
        #expect(waits(balancer))
        #expect(balancer.state == .transientFailure)
        let retry = balancer.nextTick
        #expect((.at(17)...(.at(25))).contains(retry))
        #expect(text(balancer.tick(at: retry)) == ["resolve"])
        #expect(
            text(balancer.resolved(.init(addresses: [try .host(1)]), at: .at(30))) == [
                "connect 1 127.0.0.1:50051"
            ])
    }

    @Test(
        "grpc-K22: a name that cannot be resolved does not keep the addresses of others from being used, nor its own of before"
    )
    func partlyResolved() throws {
        var balancer = balancer(.roundRobin)
        _ = balancer.connect(at: .at(0))
        let unknown = ConnectFailure(description: "the name 'b' cannot be resolved")
        #expect(
            text(balancer.resolved(.init(addresses: [try .host(1)], failure: unknown), at: .at(0)))
                == ["connect 1 127.0.0.1:50051"])
        let server = Server()
        _ = balancer.connected(1, server, at: .at(0))
        // The missing name is asked for again, within the usual limit.
        #expect(balancer.nextTick <= .at(24))
        #expect(text(balancer.tick(at: .at(24))) == [])
        #expect(balancer.nextTick == .at(30_000))
        #expect(text(balancer.tick(at: .at(30_000))) == ["resolve"])
        #expect(
            text(balancer.resolved(.init(addresses: [try .host(1), try .host(2)]), at: .at(30_000)))
                == ["connect 2 127.0.0.2:50051"])
        #expect(balancer.nextTick == .distantFuture)
        _ = balancer.failed(2, Self.refused, at: .at(30_001))
        // The first is not retired because a resolver has failed, or has found only the other.
        for addresses in [[], [try ServerAddress.host(2)]] {
            let found = Resolution(addresses: addresses, failure: unknown)
            #expect(!text(balancer.resolved(found, at: .at(30_002))).contains("retire"))
        }
        #expect(
            balancer.problem
                == "127.0.0.2:50051: Connection refused; the name 'b' cannot be resolved")
    }

    @Test("With one address that is the target, the reason stands alone")
    func alone() throws {
        var balancer = Balancer(
            targetName: "127.0.0.1:50051", policy: .pickFirst(), patience: .seconds(2), isStatic: true)
        _ = balancer.connect(at: .at(0))
        _ = balancer.resolved(.init(addresses: [try .host(1)]), at: .at(0))
        #expect(balancer.problem == nil)
        _ = balancer.failed(1, Self.refused, at: .at(0))
        #expect(balancer.problem == "Connection refused")
    }

    @Test(
        "grpc-K22: while a connection is ready the name is asked at most every 30 s, else as often as there is a reason"
    )
    func resolutions() throws {
        var balancer = balancer(.roundRobin)
        let addresses = [try ServerAddress.host(1), try .host(2)]
        _ = balancer.connect(at: .at(0))
        _ = balancer.resolved(.init(addresses: addresses), at: .at(0))
        let server = Server()
        _ = balancer.connected(1, server, at: .at(0))
        #expect(!text(balancer.failed(2, Self.refused, at: .at(10))).contains("resolve"))
        var (now, asked) = (NIODeadline.at(10), [NIODeadline]())
        while now < .at(120_000) {
            now = balancer.nextTick
            var actions = balancer.tick(at: now)
            while let action = actions.popLast() {
                switch action {
                case .connect(let id, _): actions += balancer.failed(id, Self.refused, at: now)
                case .resolve:
                    asked.append(now)
                    actions += balancer.resolved(.init(addresses: addresses), at: now)
                case .cancel, .retire: Issue.record("\(action)")
                }
            }
        }
        #expect(asked.count >= 2)
        #expect(zip([.at(0)] + asked, asked).allSatisfy { $1 - $0 >= .seconds(30) })
        #expect(text(balancer.lost(server, Self.refused, at: now + .seconds(1))).contains("resolve"))
        // Only one question at a time.
        #expect(!text(balancer.failed(1, Self.refused, at: now + .seconds(1))).contains("resolve"))
    }

    @Test("grpc-K22: a server that has left the name finishes its calls; one that has come gets calls")
    func change() throws {
        var balancer = balancer(.roundRobin)
        _ = balancer.connect(at: .at(0))
        _ = balancer.resolved(.init(addresses: [try .host(1), try .host(2)]), at: .at(0))
        let servers = [Server(), Server(), Server()]
        _ = balancer.connected(1, servers[0], at: .at(0))
        _ = balancer.connected(2, servers[1], at: .at(0))
        #expect(
            text(balancer.resolved(.init(addresses: [try .host(2), try .host(3)]), at: .at(1)))
                == ["retire", "connect 3 127.0.0.3:50051"])
        #expect(balancer.picker.ready.map { $0 === servers[1] } == [true])
        _ = balancer.connected(3, servers[2], at: .at(2))
        #expect(balancer.picker.ready.count == 2)
        // Its loss, when it has finished, changes nothing.
        #expect(text(balancer.lost(servers[0], Self.refused, at: .at(3))) == [])
    }
}
