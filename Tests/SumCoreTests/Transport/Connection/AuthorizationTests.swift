import Foundation
import InMemoryLogging
import Logging
import NIOCore
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

/// A server's connection that asks who may call.
@Suite(.timeLimit(.minutes(10))) struct AuthorizationTests {
    private static let token = "0123456789abcdef"
    private static let unauthenticated = GRPCStatus(code: .unauthenticated, message: "no")

    /// Lets callers call who say `x-name`, under that name.
    private static let byName = CallAuthorizer(immediately: { context in
        guard let name = context.metadata["x-name"].first else { throw unauthenticated }
        return name
    })

    private static func request(_ name: String?) -> [WireField] {
        .request + (name.map { [WireField("x-name", $0)] } ?? [])
    }

    private func server(
        _ authorizer: CallAuthorizer = byName, methods: [GRPCMethod] = [SumNumbers.method()],
        log: InMemoryLogHandler = .init(), observers: [any ServerObserver] = [],
        _ change: (inout GRPCServer.Configuration) -> Void = { _ in }
    ) throws -> WireChannel {
        try .server(methods: methods, log: log, observers: observers) {
            $0.authorize = authorizer
            change(&$0)
        }
    }

    // MARK: At once

    @Test(
        "abuse-A2: a refused call is answered at once, though its client still sends, and its messages are dropped"
    )
    func refusal() throws {
        let log = InMemoryLogHandler()
        let wire = try server(log: log)
        _ = wire.takeFrames()
        // A prefix that would end the call if it were looked at.
        try wire.send(.headers(.request, on: 1), .data([9, 0, 0, 0, 0], on: 1))
        let answer = wire.takeFrames()
        #expect(answer.map(\.kind) == [.headers])
        #expect(answer.first?.endsStream == true)
        #expect(answer.first?[":status"] == "200")
        #expect(answer.first?["grpc-status"] == "16")
        #expect(answer.first?["grpc-message"] == "no")
        try wire.send(.data([], on: 1, endStream: true))
        #expect(wire.isOpen)
        #expect(log.callStatuses == ["UNAUTHENTICATED: no"])
        try wire.send(.headers(Self.request("a"), on: 3), .data(Numbers.encode([4]), on: 3, endStream: true))
        #expect(wire.takeFrames().last?["grpc-status"] == "0")
    }

    @Test("Handlers, observers and the log know the principal")
    func principal() throws {
        let (log, observer) = (InMemoryLogHandler(), NotingObserver())
        let seen = Mutex<[String?]>([])
        let method = GRPCMethod(path: SumNumbers.path) { context in
            seen.withLock { $0.append(context.peer.principal) }
            return SumNumbersHandler(overflow: .error, context: context)
        }
        let wire = try server(methods: [method], log: log, observers: [observer])
        for (streamID, name) in [(1, "a"), (3, "b"), (5, nil), (7, "a\u{7f}")] as [(UInt32, String?)] {
            try wire.send(.headers(Self.request(name), on: streamID, endStream: true))
        }
        #expect(seen.withLock { $0 } == ["a", "b"])
        #expect(observer.endedCalls.map(\.peer.principal) == ["a", "b", nil])
        let calls = log.entries.filter { $0.message == "call" }
        #expect(calls.map { $0.metadata["principal"].map { "\($0)" } } == ["a", "b", nil])
    }

    private struct Secret: Error {}

    @Test(
        "An error that is no status, or is OK, is UNAUTHENTICATED, and its text stays here",
        arguments: [Secret(), GRPCStatus.ok] as [any Error])
    func otherError(_ error: any Error) throws {
        let wire = try server(CallAuthorizer(immediately: { _ in throw error }))
        try wire.send(.headers(.request, on: 1, endStream: true))
        #expect(wire.frames.last?["grpc-status"] == "16")
        #expect(wire.frames.last?["grpc-message"] == "the caller could not be authenticated")
    }

    @Test("An open method asks nobody")
    func openMethod() throws {
        let wire = try server(methods: [SumNumbers.method().openToAll()])
        try wire.expectSum(on: 1)
    }

    @Test(
        "abuse-A4: ten refusals in a row end the connection, after the last answer; an accepted call starts them anew"
    )
    func offence() throws {
        let (log, observer) = (InMemoryLogHandler(), NotingObserver())
        let wire = try server(log: log, observers: [observer])
        var streamID: UInt32 = 1
        func call(_ name: String?) throws {
            try wire.send(.headers(Self.request(name), on: streamID, endStream: true))
            streamID += 2
        }
        for _ in 0..<3 {
            for _ in 0..<9 { try call(nil) }
            try call("a")
        }
        #expect(wire.isOpen)
        _ = wire.takeFrames()
        for _ in 0..<10 { try call(nil) }
        #expect(!wire.isOpen)
        #expect(wire.frames.map(\.kind) == Array(repeating: .headers, count: 10) + [.goAway])
        #expect(wire.goAway?.code == .enhanceYourCalm)
        #expect(wire.goAway?.debug == "too_many_refused_calls")
        #expect(observer.failures.map(\.exceededLimit) == ["too_many_refused_calls"])
        #expect(log.entries.filter { $0.message == "connection failed" && $0.level == .info }.count == 1)
    }

    @Test("Only refusals because of the caller count")
    func otherRefusals() throws {
        let wire = try server(
            CallAuthorizer(immediately: { _ in throw GRPCStatus(code: .unavailable, message: "ask later") }))
        for call in 0..<50 { try wire.send(.headers(.request, on: UInt32(2 * call + 1), endStream: true)) }
        #expect(wire.isOpen)
    }

    @Test("abuse-A2: refused calls that their client then resets are no resets too many")
    func noResets() throws {
        let wire = try server { ($0.maxRefusedCalls, $0.maxResets, $0.maxConcurrentStreams) = (10_000, 0, 1) }
        for call in 0..<2000 {
            let streamID = UInt32(2 * call + 1)
            try wire.send(.headers(.request, on: streamID))
            try wire.send(.rstStream(8, on: streamID))
        }
        #expect(wire.isOpen)
    }

    // MARK: Later

    /// Decides when it is told to.
    private final class Authority: Sendable {
        private struct State {
            var waiting: [(name: String, CheckedContinuation<String?, any Error>)] = []
            var cancelled = 0
        }
        private let state = Mutex(State())

        var authorizer: CallAuthorizer {
            CallAuthorizer { [self] context in
                try await withTaskCancellationHandler {
                    try await withCheckedThrowingContinuation { continuation in
                        state.withLock {
                            $0.waiting.append((context.metadata["x-name"].first ?? "", continuation))
                        }
                    }
                } onCancel: {
                    state.withLock { $0.cancelled += 1 }
                }
            }
        }

        var cancelled: Int { state.withLock { $0.cancelled } }

        func wait(for count: Int) async {
            while state.withLock({ $0.waiting.count }) < count { await Task.yield() }
        }

        /// Decides on the first of the calls with this name.
        func decide(_ name: String, _ result: Result<String?, any Error>) {
            let continuation = state.withLock { state in
                state.waiting.firstIndex { $0.name == name }.map { state.waiting.remove(at: $0).1 }
            }
            continuation?.resume(with: result)
        }
    }

    /// Waits until a decision has led to an answer.
    ///
    /// - Returns: what was answered on the stream.
    private func answer(_ wire: WireChannel, on streamID: UInt32) async throws -> [WireFrame] {
        let isAnswer = { (frame: WireFrame) in frame.streamID == streamID && frame.kind != .windowUpdate }
        // The decision may have been made, and taken, before we came here.
        while !wire.hasActions, !wire.frames.contains(where: isAnswer), wire.isOpen { await Task.yield() }
        try wire.advance(.zero)
        // A turn for what has waited.
        try wire.advance(.milliseconds(1))
        return wire.frames.filter(isAnswer)
    }

    @Test("abuse-A3: what arrives before the decision waits, unread, and is then served")
    func held() async throws {
        let authority = Authority()
        let numbers = Numbers.encode([1, 2, 3])
        for isEnded in [false, true] {
            for split in [0, 3, numbers.count] {
                let wire = try server(authority.authorizer)
                try wire.send(.headers(Self.request("a"), on: 1), .data(Array(numbers.prefix(split)), on: 1))
                if isEnded { try wire.send(.data(Array(numbers.dropFirst(split)), on: 1, endStream: true)) }
                await authority.wait(for: 1)
                try wire.advance(.zero)
                #expect(!wire.frames.contains { $0.streamID == 1 })
                authority.decide("a", .success("A"))
                if !isEnded {
                    while !wire.hasActions { await Task.yield() }
                    try wire.advance(.zero)
                    // A turn for what has waited.
                    try wire.advance(.milliseconds(1))
                    try wire.send(.data(Array(numbers.dropFirst(split)), on: 1, endStream: true))
                }
                let frames =
                    isEnded
                    ? try await answer(wire, on: 1)
                    : wire.frames.filter { $0.streamID == 1 && $0.kind != .windowUpdate }
                #expect(frames.map(\.kind) == [.headers, .data, .headers])
                #expect(frames.dropFirst().first?.payload == [0, 0, 0, 0, 2, 8, 6])
            }
        }
    }

    @Test("A call without any message waits too")
    func heldEmpty() async throws {
        let authority = Authority()
        let wire = try server(authority.authorizer)
        try wire.send(.headers(Self.request("a"), on: 1, endStream: true))
        await authority.wait(for: 1)
        authority.decide("a", .success(nil))
        #expect(try await answer(wire, on: 1).last?["grpc-status"] == "0")
    }

    @Test("A call that is refused late ends at once; nothing of it was looked at, and its bytes are credited")
    func refusedLate() async throws {
        let authority = Authority()
        let wire = try server(authority.authorizer)
        let bytes = [UInt8](repeating: 0xff, count: 16_000)
        try wire.send(.headers(Self.request("a"), on: 1))
        for _ in 0..<64 { try wire.send(.data(bytes, on: 1)) }
        for _ in 0..<400 { try wire.send(.data(bytes, on: 1)) }
        await authority.wait(for: 1)
        #expect(!wire.frames.contains { $0.streamID == 1 })
        authority.decide("a", .failure(GRPCStatus(code: .permissionDenied, message: "not you")))
        let frames = try await answer(wire, on: 1)
        #expect(frames.map(\.kind) == [.headers])
        #expect(frames.last?["grpc-status"] == "7")
        #expect(wire.frames.contains { $0.streamID == 1 && $0.kind == .windowUpdate })
    }

    @Test("Decisions on the calls of a connection are made in any order")
    func order() async throws {
        let authority = Authority()
        let wire = try server(authority.authorizer)
        for (streamID, name) in [(1, "a"), (3, "b"), (5, "c")] as [(UInt32, String)] {
            try wire.send(.headers(Self.request(name), on: streamID, endStream: true))
        }
        await authority.wait(for: 3)
        for (streamID, name) in [(5, "c"), (1, "a"), (3, "b")] as [(UInt32, String)] {
            authority.decide(name, .success(name))
            #expect(try await answer(wire, on: streamID).last?["grpc-status"] == "0")
        }
    }

    @Test("abuse-A3: a deadline that passes before the decision ends the call, and cancels the decision")
    func deadline() async throws {
        let authority = Authority()
        let wire = try server(authority.authorizer)
        let timeout = WireField("grpc-timeout", "1S")
        try wire.send(.headers(Self.request("a") + [timeout], on: 1), .data(Numbers.encode([1]), on: 1))
        await authority.wait(for: 1)
        try wire.advance(.seconds(1))
        #expect(wire.frames.last { $0.streamID == 1 && $0.kind == .headers }?["grpc-status"] == "4")
        #expect(authority.cancelled == 1)
        authority.decide("a", .success("a"))
        while !wire.hasActions { await Task.yield() }
        #expect(try await answer(wire, on: 1).last?["grpc-status"] == "4")
        // The decision came too late, and the connection works.
        try wire.send(.headers(Self.request("b"), on: 3, endStream: true))
        await authority.wait(for: 1)
        authority.decide("b", .success("b"))
        #expect(try await answer(wire, on: 3).last?["grpc-status"] == "0")
    }

    @Test("abuse-A3: a client that cancels, or goes away, cancels the decision", arguments: [false, true])
    func cancelled(_ closes: Bool) async throws {
        let (authority, observer) = (Authority(), NotingObserver())
        let wire = try server(authority.authorizer, observers: [observer])
        try wire.send(.headers(Self.request("a"), on: 1))
        await authority.wait(for: 1)
        if closes { wire.close() } else { try wire.send(.rstStream(8, on: 1)) }
        #expect(authority.cancelled == 1)
        #expect(observer.endedCalls.map(\.status.code) == [.cancelled])
        authority.decide("a", .success("a"))
    }

    @Test("abuse-R1: decisions count as calls until they are made, also for calls that were reset")
    func unfinished() async throws {
        let authority = Authority()
        let wire = try server(authority.authorizer) { $0.maxConcurrentStreams = 2 }
        for streamID in [1, 3] as [UInt32] {
            try wire.send(.headers(Self.request("a"), on: streamID), .rstStream(8, on: streamID))
        }
        try wire.send(.headers(Self.request("b"), on: 5))
        #expect(wire.resetCode(of: 5) == .refusedStream)
        await authority.wait(for: 2)
        authority.decide("a", .failure(CancellationError()))
        var streamID: UInt32 = 7
        // The decision reaches the connection a little later.
        while true {
            _ = wire.takeFrames()
            try wire.advance(.zero)
            try wire.send(.headers(Self.request("c"), on: streamID, endStream: true))
            if wire.resetCode(of: streamID) == nil { break }
            streamID += 2
            await Task.yield()
        }
        await authority.wait(for: 2)
        for name in ["a", "c"] { authority.decide(name, .success(nil)) }
        #expect(try await answer(wire, on: streamID).last?["grpc-status"] == "0")
    }

    @Test("Late refusals count as those at once do")
    func lateOffence() async throws {
        let wire = try server(CallAuthorizer { _ in throw Self.unauthenticated }) { $0.maxRefusedCalls = 3 }
        for streamID in [1, 3, 5] as [UInt32] {
            try wire.send(.headers(.request, on: streamID, endStream: true))
            _ = try await answer(wire, on: streamID)
        }
        #expect(wire.goAway?.debug == "too_many_refused_calls")
        #expect(!wire.isOpen)
    }

    @Test("A server whose authorizer waits serves many calls at once, over sockets")
    func sockets() async throws {
        var configuration = GRPCServer.Configuration()
        configuration.authorize = CallAuthorizer { context in
            await Task.yield()
            guard context.bearerToken == Self.token else { throw Self.unauthenticated }
            return "tester"
        }
        try await withClient(configuration: configuration) { client in
            var options = GRPCCallOptions()
            try options.metadata.add("authorization", "Bearer \(Self.token)")
            let numbers = Array(Int32(1)...1000)
            try await withThrowingTaskGroup(of: Int32.self) { group in
                for _ in 0..<200 {
                    group.addTask { [options] in try await client.sum(of: numbers, options: options) }
                }
                for try await sum in group { #expect(sum == 500_500) }
            }
            await #expect(throws: Self.unauthenticated) { try await client.sum(of: numbers) }
        }
    }

    // MARK: Calls of a caller

    @Test("abuse-A8: a caller has only so many calls at once, over all connections")
    func callsOfACaller() throws {
        let counter = CallCounter(limit: 2)
        let connections = try (0..<2).map { _ in
            let connection = try ServerConnection(
                methods: [SumNumbers.path: SumNumbers.method()],
                limits: {
                    var limits = GRPCServer.Configuration()
                    limits.authorize = Self.byName
                    return limits
                }(), callCounter: counter)
            let wire = try WireChannel(connection)
            try wire.send(bytes: WireFrame.preface + WireFrame.settings().bytes)
            try wire.send(.settingsAck)
            return wire
        }
        func begin(_ name: String, _ index: Int, on streamID: UInt32) throws -> String? {
            _ = connections[index].takeFrames()
            try connections[index].send(.headers(Self.request(name), on: streamID))
            return connections[index].takeFrames().first?["grpc-status"]
        }
        #expect(try begin("a", 0, on: 1) == nil)
        #expect(try begin("a", 1, on: 1) == nil)
        #expect(try begin("a", 0, on: 3) == "8")
        #expect(try begin("b", 0, on: 5) == nil)
        try connections[1].send(.data([], on: 1, endStream: true))
        #expect(try begin("a", 0, on: 7) == nil)
        #expect(try begin("a", 1, on: 3) == "8")
        connections[0].close()
        #expect(try begin("a", 1, on: 5) == nil)
        #expect(try begin("a", 1, on: 7) == nil)
        #expect(try begin("a", 1, on: 9) == "8")
    }
}
