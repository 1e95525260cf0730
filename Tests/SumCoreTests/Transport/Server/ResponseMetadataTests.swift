import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Testing

@testable import SumCore

/// The metadata that a handler sets, on the wire.
@Suite(.timeLimit(.minutes(10))) struct ResponseMetadataTests {
    private typealias Number = Tutorial_NumberRequest
    private typealias Sum = Tutorial_NumberResponse

    enum Kind: String, CaseIterable, Sendable {
        case unary, clientStreaming, serverStreaming, bidirectional

        /// A method of this kind that, after `prepare`, sends its one message if it must, or none.
        func method(_ prepare: @escaping @Sendable (AsyncServerCall) async throws -> Void) -> GRPCMethod {
            let path = SumNumbers.path
            switch self {
            case .unary:
                return .unary(path: path) { (_: Number, call) in
                    try await prepare(call)
                    return Sum()
                }
            case .clientStreaming:
                return .clientStreaming(path: path) { (_: GRPCRequests<Number>, call) in
                    try await prepare(call)
                    return Sum()
                }
            case .serverStreaming:
                return .serverStreaming(path: path) { (_: Number, _: GRPCResponses<Sum>, call) in
                    try await prepare(call)
                }
            case .bidirectional:
                return .bidirectionalStreaming(path: path) {
                    (_: GRPCRequests<Number>, _: GRPCResponses<Sum>, call) in
                    try await prepare(call)
                }
            }
        }

        var hasOneResponse: Bool { self == .unary || self == .clientStreaming }
    }

    /// How a call ends, and what the handler sets before that.
    struct Ending: Sendable, CustomTestStringConvertible {
        var kind: Kind
        var fails: Bool
        var hasTrailers: Bool
        var hasDetails: Bool
        var sendsHeadersFirst: Bool

        var testDescription: String {
            "\(kind)\(fails ? ", an error" : "")\(hasTrailers ? ", trailers" : "")\(hasDetails ? ", details" : "")"
                + (sendsHeadersFirst ? ", headers sent first" : "")
        }

        static let all = Kind.allCases.flatMap { kind in
            [false, true].flatMap { hasTrailers in
                [false, true].flatMap { sendsHeadersFirst in
                    [(false, false), (true, false), (true, true)].map { fails, hasDetails in
                        Ending(
                            kind: kind, fails: fails, hasTrailers: hasTrailers, hasDetails: hasDetails,
                            sendsHeadersFirst: sendsHeadersFirst)
                    }
                }
            }
        }
    }

    /// Calls a method with one number, and returns the frames of the response.
    private func answer(
        of method: GRPCMethod, settings: KeyValuePairs<UInt16, UInt32> = [:],
        _ talk: @escaping @Sendable (WireSocket) throws -> [WireFrame] = answer
    ) async throws -> [WireFrame] {
        let hello = WireFrame.preface + WireFrame.settings(settings).bytes + WireFrame.settingsAck.bytes
        return try await withServer([method]) { server, _ in
            let address = server.addresses[0].description
            return try await onThread {
                let client = try WireSocket(connectingTo: address)
                try client.send(bytes: hello)
                return try talk(client)
            }
        }
    }

    /// Sends one number, and waits for the end of the response.
    private static func answer(to client: WireSocket) throws -> [WireFrame] {
        try client.send(
            .headers(.request, on: 1), .data([0, 0, 0, 0, 2, 8, 5], on: 1, endStream: true))
        return try rest(client)
    }

    private static func rest(_ client: WireSocket) throws -> [WireFrame] {
        var frames: [WireFrame] = []
        while let frame = try client.receive(where: { $0.streamID == 1 && $0.kind != .windowUpdate }) {
            frames.append(frame)
            if frame.endsStream || frame.kind == .rstStream { break }
        }
        return frames
    }

    private static func metadata(_ key: String, _ value: String) throws -> GRPCMetadata {
        var metadata = GRPCMetadata()
        try metadata.add(key, value)
        return metadata
    }

    @Test(
        "audit-P1: response metadata has a HEADERS block of its own, whatever follows",
        arguments: Ending.all)
    func responseMetadata(_ ending: Ending) async throws {
        let status = GRPCStatus(
            code: .failedPrecondition, message: "no", details: ending.hasDetails ? [8, 9] : [])
        let method = ending.kind.method { call in
            try call.setResponseMetadata(Self.metadata("front", "1"))
            if ending.sendsHeadersFirst { try call.sendResponseMetadata() }
            if ending.hasTrailers { call.setTrailers(try Self.metadata("behind", "2")) }
            if ending.fails { throw status }
        }
        let frames = try await answer(of: method)
        let hasMessage = ending.kind.hasOneResponse && !ending.fails
        #expect(frames.map(\.kind) == (hasMessage ? [.headers, .data, .headers] : [.headers, .headers]))
        let (headers, trailers) = (try #require(frames.first), try #require(frames.last))
        #expect(headers[":status"] == "200")
        #expect(headers["content-type"] == "application/grpc")
        #expect(headers["front"] == "1")
        #expect(!headers.endsStream)
        #expect(headers["grpc-status"] == nil)
        #expect(headers["behind"] == nil)
        #expect(trailers["grpc-status"] == (ending.fails ? "9" : "0"))
        #expect(trailers["grpc-message"] == (ending.fails ? "no" : nil))
        #expect(trailers["grpc-status-details-bin"] == (ending.hasDetails ? "CAk" : nil))
        #expect(trailers["behind"] == (ending.hasTrailers ? "2" : nil))
        #expect(trailers["front"] == nil)
    }

    @Test(
        "audit-P1: without response metadata, a response without messages is one HEADERS block",
        arguments: [false, true])
    func trailersOnly(_ hasTrailers: Bool) async throws {
        let method = Kind.bidirectional.method { call in
            if hasTrailers { call.setTrailers(try Self.metadata("behind", "2")) }
            throw GRPCStatus(code: .notFound)
        }
        let frames = try await answer(of: method)
        #expect(frames.map(\.kind) == [.headers])
        #expect(frames.first?["grpc-status"] == "5")
        #expect(frames.first?["behind"] == (hasTrailers ? "2" : nil))
    }

    @Test("audit-P1: headers and trailers need no window")
    func withoutCredit() async throws {
        let method = Kind.bidirectional.method { call in
            try call.setResponseMetadata(Self.metadata("front", "1"))
            throw GRPCStatus(code: .notFound)
        }
        // SETTINGS_INITIAL_WINDOW_SIZE 0.
        let frames = try await answer(of: method, settings: [4: 0])
        #expect(frames.map(\.kind) == [.headers, .headers])
    }

    @Test("audit-P2: sendResponseMetadata sends the headers to a client that waits for them")
    func headersAtOnce() async throws {
        let method = GRPCMethod.bidirectionalStreaming(path: SumNumbers.path) {
            (requests: GRPCRequests<Number>, responses: GRPCResponses<Sum>, call) in
            try call.setResponseMetadata(Self.metadata("front", "1"))
            try call.sendResponseMetadata()
            try call.sendResponseMetadata()
            for try await request in requests {
                try await responses.send(Sum.with { $0.sum = request.num })
            }
        }
        let frames = try await answer(of: method) { client in
            try client.send(.headers(.request, on: 1))
            let headers = try #require(try client.receive(.headers))
            return [headers] + (try Self.answerToNumber(client))
        }
        #expect(frames.map(\.kind) == [.headers, .data, .headers])
        #expect(frames.first?["front"] == "1")
        #expect(frames.last?["front"] == nil)
    }

    private static func answerToNumber(_ client: WireSocket) throws -> [WireFrame] {
        try client.send(.data([0, 0, 0, 0, 2, 8, 5], on: 1, endStream: true))
        return try rest(client)
    }

    @Test(
        "audit-P2: setting metadata or compression too late throws in the handler",
        arguments: ["message", "headers"])
    func tooLate(_ sent: String) async throws {
        let method = GRPCMethod.serverStreaming(path: SumNumbers.path) {
            (_: Number, responses: GRPCResponses<Sum>, call) in
            if sent == "message" { try await responses.send(Sum()) } else { try call.sendResponseMetadata() }
            let error = #expect(throws: GRPCStatus.self) { try call.setCompression(.identity) }
            #expect(error?.message == "compression was set after the response headers had been sent")
            try call.setResponseMetadata(Self.metadata("late", "1"))
        }
        let frames = try await answer(of: method)
        #expect(frames.last?["grpc-status"] == "13")
        #expect(
            frames.last?["grpc-message"]
                == "response metadata was set after the response headers had been sent")
    }

    @Test(
        "audit-P5: a status too long for the client loses its end, then its details; headers are RESOURCE_EXHAUSTED"
    )
    func clientLimit() async throws {
        let long = String(repeating: "\u{fc}", count: 9000)
        let message = Kind.bidirectional.method { _ in
            throw GRPCStatus(code: .notFound, message: long, details: [1])
        }
        // SETTINGS_MAX_HEADER_LIST_SIZE 1000.
        let cut = try #require(try await answer(of: message, settings: [6: 1000]).last)
        #expect(cut["grpc-status"] == "5")
        #expect(cut["grpc-message"]?.hasSuffix("%C3%BC...") == true)
        #expect(cut["grpc-status-details-bin"] == "AQ")
        #expect((900...1000).contains(cut.listSize))

        let details = Kind.bidirectional.method { _ in
            throw GRPCStatus(code: .notFound, message: "m", details: Array(repeating: 0, count: 900))
        }
        let bare = try #require(try await answer(of: details, settings: [6: 1000]).last)
        #expect(bare["grpc-status"] == "5")
        #expect(bare["grpc-message"] == "m")
        #expect(bare["grpc-status-details-bin"] == nil)

        let metadata = Kind.bidirectional.method { call in
            try call.setTrailers(Self.metadata("k", String(repeating: "v", count: 900)))
            throw GRPCStatus(code: .notFound, message: "m", details: [1])
        }
        let refused = try #require(try await answer(of: metadata, settings: [6: 1000]).last)
        #expect(refused["grpc-status"] == "8")
        #expect(
            refused["grpc-message"]?.contains("bytes with the status NOT_FOUND, but the client accepts")
                == true
        )
        #expect(refused.listSize <= 1000)

        let headers = Kind.bidirectional.method { call in
            try call.setResponseMetadata(Self.metadata("k", String(repeating: "v", count: 900)))
            try call.sendResponseMetadata()
            // The call has ended, and its handler is told.
            while !Task.isCancelled { await Task.yield() }
        }
        let frames = try await answer(of: headers, settings: [6: 1000])
        #expect(frames.map(\.kind) == [.headers])
        #expect(frames.first?["grpc-status"] == "8")
        #expect(frames.first?["grpc-message"]?.hasSuffix("but the client accepts 1000") == true)
    }
}

extension WireFrame {
    /// The size of its fields for SETTINGS_MAX_HEADER_LIST_SIZE.
    fileprivate var listSize: Int {
        fields.reduce(0) { $0 + $1.name.count + $1.value.count + 32 }
    }
}
