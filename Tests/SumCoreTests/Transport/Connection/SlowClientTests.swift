import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

/// A server's connection against clients that stall: in their preface, their headers, or in reading responses.
@Suite struct SlowClientTests {
    @Test(
        "grpc-K18, abuse-R10, abuse-R15: a client that does not acknowledge SETTINGS is told so, and loses its connection"
    )
    func settings() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log, acknowledging: false)
        try wire.advance(.seconds(10) - .nanoseconds(1))
        try wire.expectSum(on: 1)
        try wire.advance(.nanoseconds(1))
        #expect(wire.goAway?.code == .settingsTimeout)
        #expect(wire.goAway?.debug == "settings_timeout")
        #expect(!wire.isOpen)
        #expect(log.errors == [CloseReason.settingsTimeout.description])
    }

    @Test("abuse-R15: a silent client loses its connection", arguments: [0, 23, 24])
    func silence(_ length: Int) throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel(WireChannel.serverConnection(log: log))
        try wire.send(bytes: Array(WireFrame.preface.prefix(length)))
        try wire.advance(.seconds(10) - .nanoseconds(1))
        #expect(wire.isOpen)
        try wire.advance(.nanoseconds(1))
        #expect(!wire.isOpen)
        #expect(log.errors.count == 1)
    }

    @Test("abuse-R3, abuse-R15: header blocks that do not end", arguments: [9, 20, -9, -1])
    func headers(
        _ cut: Int
    ) throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        try wire.expectSum(on: 1)
        let bytes =
            WireFrame.headers(.request, on: 3, endHeaders: false).bytes
            + WireFrame.continuation([WireField("x", "y")], on: 3, endHeaders: true).bytes
        try wire.send(bytes: Array(bytes[..<(cut > 0 ? cut : bytes.count + cut)]))
        try wire.advance(.seconds(5))
        if cut == 9 { try wire.send(bytes: Array(bytes[cut..<15])) }
        try wire.advance(.seconds(5) - .nanoseconds(1))
        #expect(wire.isOpen)
        try wire.advance(.nanoseconds(1))
        #expect(wire.goAway?.debug == "header_block_not_ended")
        #expect(!wire.isOpen)
        #expect(log.errors == [CloseReason.slowHeaders.description])
    }

    @Test("abuse-R15: the time limit starts anew with each header block")
    func headersInTime() throws {
        let wire = try WireChannel.server()
        for call in UInt32(0)..<5 {
            try wire.send(.headers(.request, on: 2 * call + 1, endHeaders: false))
            try wire.advance(.seconds(9))
            try wire.send(.continuation([], on: 2 * call + 1, endHeaders: true))
            try wire.advance(.seconds(3))
        }
        #expect(wire.isOpen)
    }

    @Test("abuse-R12: a client that does not read loses its connection after 30 to 40 seconds")
    func unread() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        _ = wire.takeFrames()
        wire.isWritable = false
        for call in UInt32(0)..<100 {
            try wire.send(.headers(.request, on: 2 * call + 1), .data([], on: 2 * call + 1, endStream: true))
        }
        #expect(wire.frames.count <= 100)
        try wire.advance(.seconds(30) - .nanoseconds(1))
        #expect(wire.isOpen)
        try wire.advance(.seconds(10) + .nanoseconds(1))
        #expect(!wire.isOpen)
        #expect(log.errors == [CloseReason.stalled.description])
    }

    @Test("abuse-R12: a client that reads slowly keeps its connection")
    func slowReader() throws {
        let wire = try WireChannel.server()
        try wire.send(.headers(.request, on: 1))
        for _ in 0..<10 {
            wire.isWritable = false
            try wire.send(.data([0, 0, 0, 0, 2, 8, 1], on: 1))
            try wire.advance(.seconds(25))
            wire.isWritable = true
            try wire.advance(.seconds(15))
        }
        try wire.send(.data([], on: 1, endStream: true))
        #expect(wire.takeFrames().last?["grpc-status"] == "0")
    }

    @Test("abuse-R13: a response without window is reset, and only that stream")
    func noCredit() throws {
        let wire = try WireChannel.server()
        try wire.send(.settings([4: 0]))
        try wire.send(.headers(.request, on: 1), .data([], on: 1, endStream: true))
        try wire.advance(.seconds(20))
        try wire.send(.headers(.request, on: 3), .data([], on: 3, endStream: true))
        try wire.advance(.seconds(20))
        #expect(wire.resetCode(of: 1) == .cancel)
        #expect(wire.resetCode(of: 3) == nil)
        try wire.send(.windowUpdate(100, on: 3))
        #expect(wire.takeFrames().last { $0.streamID == 3 }?["grpc-status"] == "0")
        try wire.send(.settings([4: 65_535]))
        try wire.expectSum(on: 5)
    }

    @Test("abuse-R13: a response that is read byte by byte is not reset")
    func littleCredit() throws {
        let wire = try WireChannel.server()
        try wire.send(.settings([4: 0]))
        try wire.send(.headers(.request, on: 1), .data([0, 0, 0, 0, 2, 8, 1], on: 1, endStream: true))
        for _ in 0..<7 {
            try wire.advance(.seconds(29))
            #expect(wire.resetCode(of: 1) == nil)
            try wire.send(.windowUpdate(1, on: 1))
        }
        #expect(wire.takeFrames().last?["grpc-status"] == "0")
    }

    @Test("abuse-R13: a handler that continues is not hurried")
    func streaming() throws {
        let method = GRPCMethod(path: SumNumbers.path) { _ in
            let handler = NotingHandler()
            handler.onReceive = {
                var reply = ServerReply(consumed: $0.readableBytes)
                reply.messages = $0
                return reply
            }
            return handler
        }
        let wire = try WireChannel.server(methods: [method])
        try wire.send(.settings([4: 0]))
        try wire.send(.headers(.request, on: 1), .data([0, 0, 0, 0, 2, 8, 1], on: 1))
        try wire.advance(.minutes(4))
        try wire.send(.windowUpdate(100, on: 1))
        #expect(wire.takeFrames().last?.payload == [0, 0, 0, 0, 2, 8, 1])
    }

    @Test(
        "audit-M2, abuse-R13: a stream that has much to send and makes no progress is reset, although its call goes on",
        arguments: [64 << 10, 64 << 10 + 1])
    func muchUntaken(_ count: Int) throws {
        let method = GRPCMethod(path: SumNumbers.path) { _ in
            let handler = NotingHandler()
            handler.onReceive = {
                var reply = ServerReply(consumed: $0.readableBytes)
                reply.messages = ByteBuffer(repeating: 0, count: count)
                return reply
            }
            return handler
        }
        let wire = try WireChannel.server(methods: [method])
        try wire.send(.settings([4: 0]))
        try wire.send(.headers(.request, on: 1), .data([0, 0, 0, 0, 2, 8, 1], on: 1))
        try wire.advance(.seconds(29))
        #expect(wire.resetCode(of: 1) == nil)
        try wire.advance(.seconds(20))
        #expect(wire.resetCode(of: 1) == (count > 64 << 10 ? .cancel : nil))
    }

    @Test("abuse-R12: a graceful close does not wait for ever for a client that does not read")
    func unreadEnd() throws {
        let wire = try WireChannel.server()
        try wire.drain()
        wire.isWritable = false
        try wire.advance(.seconds(1))
        try wire.advance(.seconds(40))
        #expect(!wire.isOpen)
    }
}
