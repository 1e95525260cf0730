import Foundation
import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

/// Frames that are repeated, some of which begin calls.
struct Flood: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var offence: CloseReason
    var count = 2000
    /// Frames that come first.
    var first: [WireFrame] = []
    var round: @Sendable (UInt32) -> [WireFrame]

    static func streamID(_ round: UInt32) -> UInt32 { 2 * round + 1 }
}

/// A server's connection against clients that flood it, and against those that only seem to.
@Suite struct FloodTests {
    private static func make(
        _ name: String, _ offence: CloseReason, first: [WireFrame] = [],
        _ round: @escaping @Sendable (UInt32) -> [WireFrame]
    ) -> Flood {
        Flood(testDescription: name, offence: offence, first: first, round: round)
    }

    private static let malformed = [WireField]([WireField("Upper-Case", "x")])
    private static let call = [WireFrame.headers(.request, on: 1)]
    private static let unknown = WireFrame.Kind(rawValue: 0xfa)

    static let floods: [Flood] = [
        make("abuse-R1: calls that are cancelled at once", .resets) {
            [.headers(.request, on: Flood.streamID($0)), .rstStream(8, on: Flood.streamID($0))]
        },
        make("abuse-R2: WINDOW_UPDATE that overflows", .resets) {
            [
                .headers(.request, on: Flood.streamID($0)),
                .windowUpdate(0x7fff_ffff, on: Flood.streamID($0)),
            ]
        },
        make("abuse-R2: malformed headers", .resets) {
            [.headers(.request + malformed, on: Flood.streamID($0))]
        },
        make("abuse-R2: content-length that lies", .resets) {
            [
                .headers(.request + [WireField("content-length", "1")], on: Flood.streamID($0)),
                .data([1, 2], on: Flood.streamID($0), endStream: true),
            ]
        },
        make("abuse-R5: header lists that are too long", .resets) {
            [.headers(.request + Array(repeating: WireField("x", ""), count: 100), on: Flood.streamID($0))]
        },
        make("abuse-R7: SETTINGS", .overhead) { _ in [.settings()] },
        make("abuse-R7: SETTINGS that toggle windows", .overhead, first: call) {
            [.settings([4: $0 % 2 == 0 ? 0 : 0x7fff_ffff])]
        },
        make("abuse-R8: empty DATA", .overhead, first: call) { _ in [.data([], on: 1)] },
        make("abuse-R8: DATA of padding alone", .overhead, first: call) { _ in
            [.data([], on: 1, padding: 255)]
        },
        make("abuse-R9: PRIORITY", .overhead) { [.priority(on: Flood.streamID($0))] },
        make("abuse-R9: unknown frames", .overhead) { _ in [WireFrame(unknown, on: 1, payload: [1])] },
        make("abuse-R9: WINDOW_UPDATE", .overhead) { _ in [.windowUpdate(1)] },
        make("abuse-R9: WINDOW_UPDATE of a stream", .overhead, first: call) { _ in [.windowUpdate(1, on: 1)]
        },
        make("abuse-R20: GOAWAY", .overhead, first: call) { _ in [.goAway(lastStreamID: 0)] },
        make(
            "abuse-R9: HEADERS of a stream that has ended", .violation(.headersAfterEnd),
            first: call + [.data([], on: 1, endStream: true)]
        ) { _ in
            [.headers(.request, on: 1)]
        },
        make(
            "abuse-R8: empty DATA of a stream that has ended", .resets,
            first: call + [.data([], on: 1, endStream: true)]
        ) {
            _ in [.data([], on: 1, endStream: true)]
        },
        make("abuse-R20: ALTSVC and ORIGIN", .overhead) { _ in
            [WireFrame(.init(rawValue: 0xa), payload: [0, 0]), WireFrame(.init(rawValue: 0xc))]
        },
    ]

    @Test(
        "grpc-K17: a flood ends the connection with a reason and a line in the log",
        arguments: floods)
    func end(_ flood: Flood) throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        try wire.send(bytes: flood.first.flatMap(\.bytes))
        try wire.send(bytes: (0..<UInt32(flood.count)).flatMap(flood.round).flatMap(\.bytes))
        #expect(!wire.isOpen)
        #expect(wire.goAway?.code == flood.offence.code)
        #expect(wire.goAway?.debug == flood.offence.debug)
        let resets = wire.frames.filter { $0.kind == .rstStream }.count
        #expect(resets <= 110)
        #expect(
            (resets >= 100)
                == (flood.offence == .resets
                    && !["abuse-R1:", "abuse-R5:"].contains(flood.testDescription.prefix(9))))
        #expect(log.operatorLines == [flood.offence.description])
        let calls = log.entries.filter { $0.message == "call" }.count
        #expect(calls <= 210)
    }

    /// Lets a client that has said hello attack a server that allows ten calls at once.
    private func attack(
        _ method: GRPCMethod, _ body: @escaping @Sendable (WireSocket) throws -> Void
    ) async throws {
        var configuration = GRPCServer.Configuration()
        configuration.maxConcurrentStreams = 10
        try await withServer([method], configuration: configuration) { server, _ in
            let address = server.addresses[0].description
            try await onThread {
                let client = try WireSocket(connectingTo: address)
                try client.send(bytes: WireFrame.preface)
                try client.send(.settings(), .settingsAck)
                try body(client)
            }
        }
    }

    @Test("abuse-R1: there are never more handlers than calls allowed, even if they outlive their streams")
    func liveHandlers() async throws {
        let gate = Gate()
        let begun = Mutex(0)
        let method = GRPCMethod(path: SumNumbers.path) { context in
            begun.withLock { $0 += 1 }
            return AsyncServerCallHandler(context: context) { _ in await gate.wait() }
        }
        try await attack(method) { client in
            for call in UInt32(0)..<100 {
                try client.send(.headers(.request, on: 2 * call + 1), .rstStream(8, on: 2 * call + 1))
            }
            try client.send(.ping())
            _ = try client.receive(.ping, ack: true)
            #expect(begun.withLock { $0 } == 10)
            gate.open()
            var next = UInt32(201)
            while true {
                try client.send(.headers(.request, on: next, endStream: true))
                let answer = try client.receive { $0.streamID == next }
                if answer?.kind == .headers { break }
                #expect(answer?.errorCode == HTTP2ErrorCode.refusedStream.rawValue)
                next += 2
            }
        }
    }

    @Test("abuse-R7: output caused by a flood is not sent early, as responses are")
    func unhelped() throws {
        let wire = try WireChannel.server()
        try wire.expectSum(on: 1)
        let before = wire.writes
        try wire.send(bytes: (0..<200).flatMap { _ in WireFrame.settings().bytes })
        #expect(wire.takeFrames().filter(\.isAck).count == 200)
        #expect(wire.writes == before + 1)
    }

    @Test("grpc-S14, abuse-R1: calls that have expired when they arrive leave no handlers that count")
    func expiredCalls() async throws {
        let method = GRPCMethod(path: SumNumbers.path) { context in
            AsyncServerCallHandler(context: context) { _ in try await Task.sleep(for: .seconds(3600)) }
        }
        try await attack(method) { client in
            let call = [WireField].request.with(WireField("grpc-timeout", "0n"))
            var (expired, next) = (0, UInt32(1))
            while expired < 50 {
                try client.send(.headers(call, on: next, endStream: true))
                let answer = try client.receive { $0.streamID == next }
                // While the tasks of the earlier calls have not ended.
                if answer?.errorCode != HTTP2ErrorCode.refusedStream.rawValue {
                    #expect(answer?["grpc-status"] == "4")
                    expired += 1
                }
                next += 2
            }
        }
    }

    @Test("abuse-R3: a tenth frame of headers ends the connection", arguments: [0, 5])
    func continuations(_ length: Int) throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        try wire.send(.headers(.request, on: 1, endHeaders: false))
        let frame = WireFrame(.continuation, on: 1, payload: Array("\0\u{1}a\u{1}b".utf8.prefix(length)))
        for _ in 0..<8 { try wire.send(frame) }
        #expect(wire.isOpen)
        try wire.send(frame)
        #expect(!wire.isOpen)
        #expect(log.operatorLines.count == 1)
    }

    /// HPACK: a field of 4 KB that is added to the table (RFC 7541 section 6.2.1), and then referenced with one byte
    /// each time (section 6.1).
    private func bomb(_ length: Int, name: String = "x") -> [UInt8] {
        let value = [UInt8](repeating: 0x61, count: 4000)
        let table = [0x40, 1] + name.utf8 + [0x7f, 0xa1, 0x1e] + value
        return WireField.encode(.request) + table + Array(repeating: 0xbe, count: length - table.count)
    }

    @Test(
        "abuse-R4: a header block that would decompress to 565 MB is not decompressed", arguments: ["x", "X"])
    func headerBomb(_ name: String) throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        let block = bomb(147 << 10, name: name)
        try wire.send(WireFrame(.headers, on: 1, payload: Array(block[..<(60 << 10)])))
        try wire.send(
            WireFrame(.continuation, on: 1, payload: Array(block[(60 << 10)..<(120 << 10)])),
            WireFrame(.continuation, flags: .endHeaders, on: 1, payload: Array(block[(120 << 10)...])))
        #expect(wire.goAway?.debug == "header_block_too_long")
        #expect(!wire.isOpen)
        #expect(log.operatorLines == [CloseReason.headerBlock.description])
    }

    @Test(
        "abuse-R4, abuse-R5: a block that is short on the wire only resets its stream, as often as resets are allowed"
    )
    func shortBombs() throws {
        let wire = try WireChannel.server()
        let names = [UInt8](repeating: 0, count: 3 * 5000)
        for (index, block) in [bomb(16 << 10), WireField.encode(.request) + names].enumerated() {
            let streamID = UInt32(4 * index + 1)
            try wire.send(WireFrame(.headers, flags: .endHeaders, on: streamID, payload: block))
            #expect(wire.resetCode(of: streamID) != nil)
            try wire.expectSum(on: streamID + 2)
        }
        for call in UInt32(100)..<300 {
            try wire.send(WireFrame(.headers, flags: .endHeaders, on: 2 * call + 1, payload: bomb(16 << 10)))
        }
        #expect(wire.goAway?.debug == "too_many_resets")
    }

    @Test(
        "abuse-R6: PINGs, whether or not the client reads, and where they are permitted",
        arguments: [true, false])
    func pings(_ reads: Bool) throws {
        let wire = try WireChannel.server()
        wire.isWritable = reads
        try wire.send(bytes: (0..<1000).flatMap { _ in WireFrame.ping().bytes })
        try wire.advance(.seconds(1))
        #expect(!wire.isOpen)
        #expect(wire.frames.filter { $0.kind == .ping }.count <= 10)
        if reads { #expect(wire.goAway?.debug == "too_many_pings") }
        let permissive = try WireChannel.server {
            $0.minPingInterval = .zero
            $0.permitsPingsWithoutCalls = true
        }
        for _ in 0..<100 { try permissive.send(bytes: (0..<50).flatMap { _ in WireFrame.ping().bytes }) }
        #expect(permissive.goAway?.debug == "too_many_frames_without_data")
    }

    @Test("abuse-R7: SETTINGS with 100 entries")
    func settingsEntries() throws {
        let wire = try WireChannel.server()
        let entry: [UInt8] = [0, 9, 0, 0, 0, 1]
        try wire.send(WireFrame(.settings, payload: (0..<100).flatMap { _ in entry }))
        #expect(wire.goAway?.code == .enhanceYourCalm)
        #expect(!wire.isOpen)
    }

    @Test("abuse-R10: streams over a limit that is not acknowledged yet are refused, up to a point")
    func refusals() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log, acknowledging: false)
        for call in UInt32(0)..<1000 { try wire.send(.headers(.request, on: 2 * call + 1)) }
        #expect(wire.isOpen)
        #expect(wire.frames.filter { $0.kind == .rstStream && $0.errorCode == 7 }.count == 872)
        for call in UInt32(1000)..<5000 { try wire.send(.headers(.request, on: 2 * call + 1)) }
        #expect(wire.goAway?.debug == "too_many_frames_without_data")
        #expect(!wire.isOpen)
        #expect(log.entries.filter { $0.message == "call" }.count == 128)
    }

    @Test("abuse-R14: a client that sends more than its window has its stream reset", arguments: [0, 1])
    func window(_ excess: Int) throws {
        let method = GRPCMethod(path: SumNumbers.path) { _ in
            let handler = NotingHandler()
            handler.onReceive = { _ in ServerReply() }
            return handler
        }
        let wire = try WireChannel.server(methods: [method])
        try wire.send(.headers(.request, on: 1))
        let frame = WireFrame.data(Array(repeating: 0, count: 32 << 10), on: 1)
        for _ in 0..<256 { try wire.send(frame) }
        #expect(wire.resetCode(of: 1) == nil)
        try wire.send(.data(Array(repeating: 0, count: excess), on: 1))
        #expect(wire.resetCode(of: 1) == (excess > 0 ? .flowControlError : nil))
    }

    @Test("abuse-R20: PUSH_PROMISE from a client")
    func pushPromise() throws {
        let wire = try WireChannel.server()
        try wire.send(.headers(.request, on: 1), .pushPromise(.request, promised: 2, on: 1))
        #expect(wire.goAway?.code == .protocolError)
        #expect(!wire.isOpen)
    }

    @Test("audit-M5: calls that end and are reset in one segment leave nothing behind")
    func endedAndReset() throws {
        let connection = try WireChannel.serverConnection { $0.maxResets = 100_000 }
        let wire = try WireChannel(connection)
        try wire.send(bytes: WireFrame.preface + WireFrame.settings().bytes + WireFrame.settingsAck.bytes)
        for call in UInt32(0)..<1000 {
            let streamID = 2 * call + 1
            try wire.send(.headers(.request, on: streamID, endStream: true), .rstStream(8, on: streamID))
        }
        #expect(connection.core.session.bodies.count == 0)
        #expect(connection.streams.count == 0)
        try wire.expectSum(on: 2001)
    }

    @Test(
        "abuse-R7: a client that has sent more than was read gets the reason, and no reset",
        arguments: [false, true])
    func farewell(_ usesTLS: Bool) async throws {
        try await withTLSServer(usesTLS ? .named() : nil) { server in
            let address = server.addresses[0].description
            try await onThread {
                let client = try WireSocket(connectingTo: address)
                if usesTLS { try client.secure() }
                let settings = (0..<30_000).flatMap { _ in WireFrame.settings().bytes }
                try client.send(bytes: WireFrame.preface + settings)
                let goAway = try client.receive { $0.kind == .goAway }
                #expect(goAway?.debugText == "too_many_frames_without_data")
                #expect(!client.isReset())
            }
        }
    }

    // MARK: Not a flood

    @Test("abuse-H5: headers in eight CONTINUATION frames, byte by byte, are not a flood")
    func slowHeaders() throws {
        let wire = try WireChannel.server()
        for call in UInt32(0)..<20 {
            let streamID = 2 * call + 1
            var frames = [WireFrame.headers(.request, on: streamID, endHeaders: false)]
            for _ in 0..<7 {
                frames.append(.continuation([WireField("x", "y")], on: streamID, endHeaders: false))
            }
            frames.append(.continuation([], on: streamID, endHeaders: true))
            for byte in frames.flatMap(\.bytes) { try wire.send(bytes: [byte]) }
            try wire.send(.data([], on: streamID, endStream: true))
            #expect(wire.takeFrames().last?["grpc-status"] == "0")
        }
    }

    @Test(
        "abuse-R8, abuse-H6, abuse-H7: one-byte frames of numbers are not a flood, nor is their padding"
    )
    func smallFrames() throws {
        let wire = try WireChannel.server()
        try wire.send(.headers(.request, on: 1))
        let numbers = Numbers.encode(Array(repeating: 1, count: 10_000))
        try wire.send(
            bytes: numbers.enumerated().flatMap { index, byte in
                WireFrame.data([byte], on: 1, padding: index % 10 == 0 ? 10 : nil).bytes
            })
        try wire.send(.data([], on: 1, endStream: true))
        try wire.finishTurns()
        let answer = try #require(wire.takeFrames().first { $0.kind == .data })
        #expect(try Numbers.sum([answer.payload]) == 10_000)
    }

    @Test("abuse-R1: cancelling every other call is not a flood, at any rate")
    func cancellations() throws {
        let wire = try WireChannel.server()
        for call in UInt32(0)..<2000 {
            let streamID = 2 * call + 1
            try wire.send(.headers(.request, on: streamID))
            try wire.send(
                call % 2 == 0 ? .rstStream(8, on: streamID) : .data([], on: streamID, endStream: true))
        }
        #expect(wire.isOpen)
        #expect(wire.goAway == nil)
    }

    @Test("abuse-R1: all calls of a connection may be cancelled at once")
    func cancellationOfAll() throws {
        let wire = try WireChannel.server { $0.maxConcurrentStreams = 1000 }
        try wire.send(bytes: (0..<1000).flatMap { WireFrame.headers(.request, on: 2 * $0 + 1).bytes })
        try wire.send(bytes: (0..<1000).flatMap { WireFrame.rstStream(8, on: 2 * $0 + 1).bytes })
        try wire.expectSum(on: 2001)
    }

    @Test("abuse-R9: frames that accompany calls are not a flood, at any rate")
    func company() throws {
        let wire = try WireChannel.server()
        for call in UInt32(0)..<500 {
            let streamID = 2 * call + 1
            try wire.send(
                .headers(.request, on: streamID), .priority(on: streamID), .data([], on: streamID),
                .data([0, 0, 0, 0, 2, 8, 1], on: streamID, endStream: true))
            try wire.send(
                .windowUpdate(7), .windowUpdate(7), .settings([4: 1 << 20]), .ping())
            if call % 50 == 0 { _ = wire.takeFrames() }
        }
        #expect(wire.isOpen)
        #expect(wire.goAway == nil)
    }

    @Test("Occasional frames without data are allowed for ever")
    func slowly() throws {
        let wire = try WireChannel.server()
        for _ in 0..<30 {
            try wire.send(bytes: (0..<100).flatMap { _ in WireFrame.priority(on: 1).bytes })
            try wire.advance(.seconds(1))
        }
        try wire.expectSum(on: 1)
    }
}
