import Foundation
import ScriptedPeers
import Testing

/// Floods and HPACK bombs against a server process. An attacker that is disconnected reconnects until it has sent
/// everything.
@Suite(.timeLimit(.minutes(60))) struct AttackTests {
    typealias Flood = WireSocket.Flood

    /// Sends `count` pieces in total; each connection starts from 0.
    private func flood(
        _ count: Int, isReading: Bool = true, _ piece: @escaping @Sendable (Int) -> [UInt8]
    ) async throws -> [Flood] {
        try await ServerProcess.attacked { server in
            var floods: [Flood] = []
            var sent = 0
            while sent < count {
                // Each is prepared to send everything, so that each is disconnected.
                let flood = try server.connect().flood(count, isReading: isReading, piece)
                floods.append(flood)
                sent += max(flood.sent, 1)
            }
            return floods
        }
    }

    /// Checks that the attackers were told this reason, and disconnected. They go on sending meanwhile, which must not cost
    /// them the GOAWAY: TCP resets a connection that is closed with bytes unread.
    private func expectFarewell(
        _ text: String?, _ floods: [Flood], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(floods.allSatisfy { $0.hasEnded }, sourceLocation: sourceLocation)
        let told = floods.map { flood in flood.goAway.map { "\($0.errorCode ?? 0) \($0.debugText)" } }
        #expect(told.allSatisfy { $0 == text }, sourceLocation: sourceLocation)
    }

    private static let head = WireField.encode(.request)
    private static let upperCase = WireField.encode(.request + [WireField("X", "y")])
    private static let lie = WireField.encode(.request + [WireField("content-length", "1")])

    /// The bytes of HEADERS with an encoded header block.
    private static func headers(_ block: [UInt8], on stream: UInt32, endStream: Bool = false) -> [UInt8] {
        WireFrame(
            .headers, flags: endStream ? [.endHeaders, .endStream] : .endHeaders, on: stream, payload: block
        ).bytes
    }

    private static func stream(_ number: Int) -> UInt32 { UInt32(2 * number + 1) }

    // MARK: Streams that are opened and reset

    @Test("abuse-R1: streams that are opened and reset")
    func rapidReset() async throws {
        let floods = try await flood(Scale.count(1000, full: 100_000)) {
            Self.headers(Self.head, on: Self.stream($0)) + WireFrame.rstStream(8, on: Self.stream($0)).bytes
        }
        expectFarewell("11 too_many_resets", floods)
        // Disconnected after 200, plus what the rate allowed meanwhile.
        #expect(floods.compactMap { $0.goAway?.lastStreamID }.allSatisfy { $0 < 1000 })
        #expect(floods.allSatisfy { $0.received[1] == nil })
    }

    enum Fault: CaseIterable {
        case window, headers, length

        func piece(_ number: Int) -> [UInt8] {
            let stream = AttackTests.stream(number)
            return switch self {
            case .window:
                AttackTests.headers(AttackTests.head, on: stream)
                    + WireFrame.windowUpdate(0x7fff_ffff, on: stream).bytes
            case .headers: AttackTests.headers(AttackTests.upperCase, on: stream)
            case .length: AttackTests.headers(AttackTests.lie, on: stream, endStream: true)
            }
        }
    }

    @Test("abuse-R2: streams that the server must reset", arguments: Fault.allCases)
    func madeYouReset(_ fault: Fault) async throws {
        let floods = try await flood(Scale.count(1000, full: 10_000)) { fault.piece($0) }
        expectFarewell("11 too_many_resets", floods)
        #expect(floods.allSatisfy { $0.received[3] ?? 0 <= 110 })
    }

    @Test("abuse-R10: five thousand streams by a client that does not acknowledge the limit")
    func streams() async throws {
        let flood = try await ServerProcess.attacked { server in
            let client = try server.connect([.settings()])
            return try client.flood(5000) { Self.headers(Self.head, on: Self.stream($0)) }
        }
        expectFarewell("11 too_many_frames_without_data", [flood])
        #expect(flood.received[1] == nil)
    }

    @Test("abuse-R10: SETTINGS that are never acknowledged")
    func settingsTimeout() async throws {
        let frames = try await ServerProcess.attacked(["--handshake-timeout", "3s"]) { server in
            let client = try server.connect([.settings()])
            return try client.receiveAll()
        }
        #expect(frames.last?.errorCode == 4)
    }

    // MARK: Headers

    @Test("abuse-R3: header blocks without an end", arguments: [0, 5])
    func continuations(_ size: Int) async throws {
        let floods = try await flood(Scale.count(1000, full: 100_000)) { number in
            number == 0
                ? WireFrame.headers(.request, on: 1, endHeaders: false).bytes
                : WireFrame(.continuation, on: 1, payload: Array(repeating: 0, count: size)).bytes
        }
        #expect(floods.allSatisfy { $0.hasEnded })
        #expect(floods.allSatisfy { $0.received[1] == nil })
    }

    /// One header block in as many frames of 16 KiB as it takes.
    private func block(_ bytes: [UInt8]) -> [UInt8] {
        let starts = Array(stride(from: 0, to: bytes.count, by: 16_384))
        return starts.flatMap { start in
            WireFrame(
                start == 0 ? .headers : .continuation, flags: start == starts.last ? .endHeaders : [], on: 1,
                payload: Array(bytes[start..<min(start + 16_384, bytes.count)])
            ).bytes
        }
    }

    @Test("abuse-R5: very many fields in a header block")
    func manyFields() async throws {
        let tiny = block(Self.head + Array(repeating: 0x88, count: 20_000))
        let empty = block(Self.head + Array(repeating: [0, 0, 0], count: 5461).flatMap { $0 })
        for bytes in [tiny, empty] {
            try await ServerProcess.attacked { server in
                let client = try server.connect()
                try client.send(bytes: bytes)
                let answer = try client.receiveAnswer()
                try #require(answer.status == nil && (answer.reset ?? answer.goAway) != nil)
            }
        }
    }

    // MARK: Frames without progress

    static let useless: [(String, [UInt8], String?)] = [
        ("PING", WireFrame.ping().bytes, "11 too_many_pings"),
        ("SETTINGS", WireFrame.settings().bytes, "11 too_many_frames_without_data"),
        (
            "INITIAL_WINDOW_SIZE",
            WireFrame.settings([4: 0]).bytes + WireFrame.settings([4: 0x7fff_ffff]).bytes,
            "11 too_many_frames_without_data"
        ),
        ("PRIORITY", WireFrame.priority(on: 1).bytes, "11 too_many_frames_without_data"),
        ("WINDOW_UPDATE", WireFrame.windowUpdate(1).bytes, "11 too_many_frames_without_data"),
        (
            "unknown", WireFrame(.init(rawValue: 0xfa), on: 1, payload: [1]).bytes,
            "11 too_many_frames_without_data"
        ),
        // The first one ends a connection without calls.
        ("GOAWAY", WireFrame.goAway(lastStreamID: 0).bytes, nil),
        ("ALTSVC", WireFrame(.init(rawValue: 10), payload: [0, 0]).bytes, "11 too_many_frames_without_data"),
        ("ORIGIN", WireFrame(.init(rawValue: 12), payload: [0, 0]).bytes, "11 too_many_frames_without_data"),
    ]

    @Test(
        "abuse-R6, abuse-R7, abuse-R9, abuse-R20: floods of useless frames", arguments: useless,
        [true, false])
    func uselessFrames(_ flood: (name: String, bytes: [UInt8], farewell: String?), _ isReading: Bool)
        async throws
    {
        let floods = try await self.flood(Scale.count(5000, full: 1_000_000), isReading: isReading) { _ in
            flood.bytes
        }
        expectFarewell(flood.farewell, floods)
    }

    @Test("abuse-R7: SETTINGS with 100 entries")
    func settingsEntries() async throws {
        let entries = WireFrame(
            .settings, payload: Array(repeating: [0, 9, 0, 0, 0, 1], count: 100).flatMap { $0 })
        let floods = try await flood(1) { _ in entries.bytes }
        #expect(floods.allSatisfy { $0.goAway?.errorCode == 11 })
    }

    @Test("abuse-R8: empty DATA frames", arguments: [nil, 255] as [UInt8?])
    func emptyData(_ padding: UInt8?) async throws {
        let floods = try await flood(Scale.count(5000, full: 2_000_000)) { number in
            (number == 0 ? Self.headers(Self.head, on: 1) : [])
                + WireFrame.data([], on: 1, padding: padding).bytes
        }
        expectFarewell("11 too_many_frames_without_data", floods)
    }

    @Test("abuse-R8: DATA frames of one byte are accepted")
    func singleBytes() async throws {
        // A thousand numbers at a time.
        let frames = Array(
            repeating: [UInt8].number(1).flatMap { WireFrame.data([$0], on: 1).bytes }, count: 1000
        ).flatMap { $0 }
        let count = Scale.count(10, full: 10_000_000 / 7000)
        let sum = try await ServerProcess.attacked { server in
            let client = try server.connect()
            try client.send(.headers(.request, on: 1))
            for _ in 0..<count { try client.send(bytes: frames) }
            try client.send(.data([], on: 1, endStream: true))
            return RequestCase.Outcome(try client.receiveAnswer())
        }
        #expect(sum == .sum(Int32(1000 * count)))
    }

    @Test("abuse-R20: PUSH_PROMISE from a client")
    func push() async throws {
        let floods = try await flood(1) { _ in
            Self.headers(Self.head, on: 1) + WireFrame.pushPromise(.request, promised: 2, on: 1).bytes
        }
        #expect(floods.allSatisfy { $0.goAway?.errorCode == 1 })
    }

    // MARK: Honest clients meanwhile

    @Test(
        "abuse-R1, abuse-R2, abuse-R6: an honest client gets its sums during repeated attacks, as fast as without them"
    )
    func latency() async throws {
        let (alone, attacked) = try await ServerProcess.attacked { server in
            let client = try server.connect()
            var stream: UInt32 = 1
            func slowest(_ calls: Int, _ goesOn: () -> Bool) throws -> Duration {
                var times: [Duration] = []
                while times.count < calls || goesOn() {
                    times.append(try ContinuousClock().measure { try client.callForSum(on: stream) })
                    stream += 2
                }
                return times.sorted()[times.count * 99 / 100]
            }
            let alone = try slowest(Scale.count(100, full: 5000)) { false }
            let attackers = DispatchGroup()
            let isOver = DispatchSemaphore(value: 0)
            let left = Scale.count(5, full: 300)
            DispatchQueue.global().async(group: attackers) {
                for round in 0..<left {
                    _ = try? server.connect().flood(1000) { number in
                        switch round % 3 {
                        case 0:
                            Self.headers(Self.head, on: Self.stream(number))
                                + WireFrame.rstStream(8, on: Self.stream(number)).bytes
                        case 1: Fault.window.piece(number)
                        default: WireFrame.ping().bytes
                        }
                    }
                }
                isOver.signal()
            }
            let attacked = try slowest(100) { isOver.wait(timeout: .now()) == .timedOut }
            attackers.wait()
            return (alone, attacked)
        }
        if Scale.isFull { #expect(attacked < alone * 5, "p99 of \(alone) became \(attacked)") }
    }
}
