import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

/// What ends a server's connection: time limits, PINGs, and clients of other protocols.
@Suite struct ConnectionLimitTests {
    /// Acknowledges the last PING.
    private func answerPing(_ wire: WireChannel) throws {
        let ping = try #require(wire.takeFrames().last { $0.kind == .ping })
        #expect(!ping.isAck)
        try wire.send(.ping(ping.payload, ack: true))
    }

    // MARK: Keepalive

    @Test("grpc-K4: a silent client is sent a PING, also without calls; one that responds is kept")
    func keepalive() throws {
        let wire = try WireChannel.server { $0.maxConnectionIdle = nil }
        for _ in 0..<3 {
            _ = wire.takeFrames()
            try wire.advance(.hours(2) - .nanoseconds(1))
            #expect(wire.frames.isEmpty)
            try wire.advance(.nanoseconds(1))
            #expect(wire.frames.map(\.kind) == [.ping])
            try wire.advance(.seconds(19))
            try answerPing(wire)
        }
        try wire.expectSum(on: 1)
    }

    @Test("grpc-K4: any bytes from the client postpone the PING")
    func activity() throws {
        let wire = try WireChannel.server { $0.keepaliveTime = .seconds(10) }
        _ = wire.takeFrames()
        for _ in 0..<5 {
            try wire.advance(.seconds(9))
            try wire.send(.windowUpdate(1))
        }
        #expect(wire.takeFrames().isEmpty)
        try wire.advance(.seconds(10))
        #expect(wire.frames.map(\.kind) == [.ping])
    }

    @Test("grpc-K4: a client that does not respond loses its connection, and its calls are cancelled")
    func silence() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        try wire.send(.headers(.request, on: 1))
        try wire.advance(.hours(2) + .seconds(20) - .nanoseconds(1))
        #expect(wire.isOpen)
        try wire.advance(.nanoseconds(1))
        #expect(!wire.isOpen)
        #expect(log.entries.map(\.message) == ["connection failed", "call"])
        let status = "\(log.entries.last?.metadata["status"] ?? "")"
        #expect(status.hasPrefix("CANCELLED"))
    }

    // MARK: Idle time and age

    @Test("grpc-K3: a connection without calls is closed gracefully at the idle limit")
    func idle() throws {
        let wire = try WireChannel.server { $0.maxConnectionIdle = .seconds(60) }
        try wire.advance(.seconds(59))
        try wire.expectSum(on: 1)
        try wire.send(.headers(.request, on: 3))
        try wire.advance(.seconds(600))
        #expect(wire.goAway == nil)
        try wire.send(.data([], on: 3, endStream: true))
        try wire.advance(.seconds(60) - .nanoseconds(1))
        #expect(wire.goAway == nil)
        try wire.advance(.nanoseconds(1))
        #expect(wire.frames.last { $0.kind == .goAway }?.lastStreamID == 0x7fff_ffff)
        try answerPing(wire)
        #expect(wire.frames.first { $0.kind == .goAway }?.lastStreamID == 3)
        #expect(wire.goAway?.debug == "max_idle")
        #expect(wire.goAway?.code == .noError)
        try wire.advance(.seconds(1))
        #expect(!wire.isOpen)
    }

    @Test("grpc-K3: an old connection is closed gracefully, and cut off when its calls outlast the grace")
    func age() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log) {
            $0.maxConnectionAge = .seconds(100)
            $0.maxConnectionAgeGrace = .seconds(30)
        }
        try wire.send(.headers(.request, on: 1))
        try wire.advance(.seconds(90) - .nanoseconds(1))
        #expect(wire.goAway == nil)
        try wire.advance(.seconds(21) + .nanoseconds(1))
        #expect(wire.goAway?.debug == "max_age")
        #expect(wire.isOpen)
        try wire.advance(.seconds(30))
        #expect(!wire.isOpen)
        #expect(log.entries.map(\.message) == ["connection failed", "call"])
    }

    @Test("grpc-K3: without a grace the calls of an old connection may finish")
    func ageWithoutGrace() throws {
        let wire = try WireChannel.server { $0.maxConnectionAge = .seconds(100) }
        try wire.send(.headers(.request, on: 1))
        try wire.advance(.hours(1))
        _ = wire.takeFrames()
        try wire.send(.data([], on: 1, endStream: true))
        #expect(wire.takeFrames().last?["grpc-status"] == "0")
        try wire.advance(.seconds(1))
        #expect(!wire.isOpen)
    }

    // MARK: PINGs

    @Test("grpc-K5: a client that sends PINGs too soon loses its connection")
    func tooManyPings() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        try wire.send(.headers(.request, on: 1))
        for _ in 0..<3 {
            try wire.send(.ping())
            try wire.advance(.minutes(5) - .seconds(1))
        }
        #expect(wire.goAway == nil)
        try wire.send(.ping())
        #expect(wire.goAway?.code == .enhanceYourCalm)
        #expect(wire.goAway?.debug == "too_many_pings")
        #expect(!wire.isOpen)
        #expect(log.entries.map(\.message) == ["connection failed", "call"])
    }

    @Test("grpc-K5: HEADERS and DATA from the server reset the count")
    func forgiven() throws {
        let wire = try WireChannel.server { $0.permitsPingsWithoutCalls = true }
        for call in 0..<5 {
            for _ in 0..<3 { try wire.send(.ping()) }
            try wire.expectSum(on: UInt32(2 * call + 1))
        }
        #expect(wire.isOpen)
    }

    @Test("grpc-K5: PINGs without calls count, unless they are permitted", arguments: [true, false])
    func withoutCalls(_ isPermitted: Bool) throws {
        let wire = try WireChannel.server {
            $0.permitsPingsWithoutCalls = isPermitted
            $0.minPingInterval = .seconds(60)
        }
        for _ in 0..<4 {
            try wire.send(.ping())
            try wire.advance(.seconds(60))
        }
        #expect(wire.isOpen == isPermitted)
    }

    @Test("grpc-K5: a client that does not read loses its connection a second later")
    func dismissedUnread() throws {
        let wire = try WireChannel.server()
        wire.isWritable = false
        for _ in 0..<4 { try wire.send(.ping()) }
        try wire.advance(.seconds(1))
        #expect(!wire.isOpen)
    }

    // MARK: Other protocols

    private static let badRequest = "HTTP/1.1 400 Bad Request\r\n"

    @Test(
        "grpc-K19, audit-P5: HTTP/1.1 and TLS get a response, other bytes nothing; one line is logged",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", badRequest, "GET / HTTP/1.1"),
            ("POST /tutorial HTTP/1.0\r\n\r\n", badRequest, "POST"),
            (
                "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}", badRequest,
                "the client speaks TLS, but this port does not"
            ),
            ("\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{46}", "", "the client speaks TLS"),
            ("\u{15}\u{2}", "", "\\u{15}"),
            ("\n", "", "\\n"), ("G", badRequest, "G"), ("INVALID CONNECTION PREFACE\r\n\r\n", "", "INVALID"),
        ])
    func foreign(_ text: String, _ beginning: String, _ logged: String) throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel(WireChannel.serverConnection(log: log))
        try wire.send(bytes: Array(text.utf8))
        #expect(!wire.isOpen)
        let answer = String(decoding: wire.bytes, as: UTF8.self)
        #expect(beginning.isEmpty ? answer.isEmpty : answer.hasPrefix(beginning))
        #expect(log.entries.count == 1)
        let reason = "\(log.entries.first?.metadata["error"] ?? "")"
        #expect(reason.contains(logged), "\(reason)")
    }
}
