import InMemoryLogging
import Logging
import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

extension WireChannel {
    /// A server's connection whose client has said hello, and has acknowledged the server's SETTINGS.
    static func server(
        methods: [GRPCMethod] = [SumNumbers.method()], log: InMemoryLogHandler = .init(),
        observers: [any ServerObserver] = [], acknowledging: Bool = true,
        _ change: (inout GRPCServer.Configuration) -> Void = { _ in }
    ) throws -> WireChannel {
        let wire = try WireChannel(
            serverConnection(methods: methods, log: log, observers: observers, change))
        try wire.send(bytes: WireFrame.preface + WireFrame.settings().bytes)
        if acknowledging { try wire.send(.settingsAck) }
        return wire
    }

    /// A server's connection to a client that has not said anything.
    static func serverConnection(
        methods: [GRPCMethod] = [SumNumbers.method()], log: InMemoryLogHandler = .init(),
        observers: [any ServerObserver] = [], _ change: (inout GRPCServer.Configuration) -> Void = { _ in }
    ) throws -> ServerConnection {
        var configuration = GRPCServer.Configuration()
        change(&configuration)
        var logger = Logger(label: "test") { _ in log }
        logger.logLevel = .debug
        return try ServerConnection(
            methods: Dictionary(uniqueKeysWithValues: methods.map { ($0.path, $0) }),
            limits: configuration, observers: [ServerLog(logger: logger)] + observers)
    }

    /// A call of the numbers 1 to 3, which must get its sum: whatever came before, the connection works.
    func expectSum(on streamID: UInt32, sourceLocation: SourceLocation = #_sourceLocation) throws {
        _ = takeFrames()
        try send(
            .headers(.request, on: streamID),
            .data(Numbers.encode([1, 2, 3]), on: streamID, endStream: true))
        let answer = takeFrames().filter { $0.streamID == streamID }
        #expect(answer.map(\.kind) == [.headers, .data, .headers], sourceLocation: sourceLocation)
        #expect(answer.first?[":status"] == "200", sourceLocation: sourceLocation)
        #expect(answer.dropFirst().first?.payload == [0, 0, 0, 0, 2, 8, 6], sourceLocation: sourceLocation)
        #expect(answer.last?["grpc-status"] == "0", sourceLocation: sourceLocation)
    }

    /// The code of the RST_STREAM that a stream got, since frames were last taken.
    func resetCode(of streamID: UInt32) -> HTTP2ErrorCode? {
        frames.first { $0.kind == .rstStream && $0.streamID == streamID }?.errorCode.map(
            HTTP2ErrorCode.init(rawValue:))
    }

    /// The last GOAWAY, since frames were last taken.
    var goAway: (code: HTTP2ErrorCode, debug: String)? {
        frames.last { $0.kind == .goAway }.map {
            (HTTP2ErrorCode(rawValue: $0.errorCode ?? .max), $0.debugText)
        }
    }
}

extension InMemoryLogHandler {
    /// Why requests were reset.
    var refusals: [String] {
        entries.filter { $0.message == "request refused" && $0.level == .debug }.map {
            "\($0.metadata["error"] ?? "")"
        }
    }

    /// How calls ended.
    var callStatuses: [String] {
        entries.filter { $0.message == "call" }.map { entry in
            let message = entry.metadata["message"].map { ": \($0)" } ?? ""
            return "\(entry.metadata["status"] ?? "")\(message)"
        }
    }
}
