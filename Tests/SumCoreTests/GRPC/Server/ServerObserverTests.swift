import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ServerObserverTests {
    private let observer = NotingObserver()

    private func server(
        _ methods: [GRPCMethod] = [SumNumbers.method()],
        _ change: (inout GRPCServer.Configuration) -> Void = { _ in }
    ) throws -> WireChannel {
        try .server(methods: methods, observers: [observer], change)
    }

    // MARK: Calls

    @Test("Each call is told of once, with what it carried and how long it took")
    func call() throws {
        let wire = try server()
        let numbers = Numbers.encode([1, 2, 3])
        try wire.send(.headers(.request, on: 1))
        try wire.advance(.milliseconds(5))
        try wire.send(.data(Array(numbers.prefix(10)), on: 1))
        try wire.advance(.milliseconds(6))
        #expect(observer.names == ["opened", "began"])
        try wire.send(.data(Array(numbers.dropFirst(10)), on: 1, endStream: true))
        #expect(observer.names == ["opened", "began", "ended"])
        let call = try #require(observer.endedCalls.first)
        #expect(call.peer == Peer(address: "unix:/test"))
        #expect(call.path == SumNumbers.path)
        #expect(call.status == .ok)
        #expect(call.duration == .milliseconds(11))
        #expect(call.messages == MessageCounts(received: 3, sent: 1))
        #expect(call.bytesReceived == numbers.count)
        #expect(call.bytesSent == 7)
        #expect(call.connectionBytesReceived > numbers.count + WireFrame.preface.count)
        try wire.expectSum(on: 3)
        #expect(observer.names == ["opened", "began", "ended", "began", "ended"])
        #expect(observer.endedCalls.last?.duration == .zero)
    }

    @Test(
        "A request that is rejected is a call that begins and ends at once",
        arguments: [
            (.request.with(WireField(":path", "/no/Such")), "/no/Such", .unimplemented),
            (.request.with(WireField(":method", "GET")), SumNumbers.path, .internalError),
            (.request.with(WireField("content-type", "text/html")), SumNumbers.path, .internalError),
            (
                .request + [WireField("x", String(repeating: "x", count: 9000))], SumNumbers.path,
                .resourceExhausted
            ),
            (.request + [WireField("grpc-timeout", "0n")], SumNumbers.path, .deadlineExceeded),
        ] as [([WireField], String, GRPCStatus.Code)])
    func rejection(_ fields: [WireField], _ path: String, _ code: GRPCStatus.Code) throws {
        let wire = try server()
        try wire.send(.headers(fields, on: 1, endStream: true))
        #expect(observer.names == ["opened", "began", "ended"])
        let call = try #require(observer.endedCalls.first)
        #expect(call.path == path)
        #expect(call.status.code == code)
        #expect(!call.status.message.isEmpty || code == .deadlineExceeded)
        #expect([call.bytesReceived, call.bytesSent] == [0, 0])
        #expect(call.messages == MessageCounts())
    }

    @Test("A call that the client cancels ends with CANCELLED")
    func cancelled() throws {
        let wire = try server()
        try wire.send(.headers(.request, on: 1), .data(Numbers.encode([1, 2]), on: 1), .rstStream(8, on: 1))
        #expect(observer.names == ["opened", "began", "ended"])
        #expect(observer.endedCalls.map(\.status.code) == [.cancelled])
        #expect(observer.endedCalls.first?.messages == MessageCounts(received: 2, sent: 0))
        #expect(observer.endedCalls.first?.bytesSent == 0)
    }

    @Test("A request that is reset for breaking HTTP is refused with a reason, and is no call")
    func refused() throws {
        let wire = try server()
        try wire.send(.headers(.request + [WireField("connection", "close")], on: 1))
        #expect(observer.names == ["opened", "refused"])
        guard case .refused(let reason) = try #require(observer.notes.last) else { return }
        #expect(reason == "HTTP/2 forbids the field 'connection', here 'close'")
    }

    @Test("So is one beyond the calls that the client may have")
    func excess() throws {
        let wire = try server { $0.maxConcurrentStreams = 1 }
        try wire.send(.headers(.request, on: 1), .headers(.request, on: 3))
        #expect(observer.names == ["opened", "began", "refused"])
        try wire.send(.data([], on: 1, endStream: true))
        #expect(observer.endedCalls.map(\.status) == [.ok])
    }

    // MARK: Connections

    @Test("A connection that fails is told of before its calls' ends, and its close comes last")
    func failure() throws {
        let wire = try server()
        try wire.send(.headers(.request, on: 1), .headers(.request, on: 3))
        try wire.advance(.seconds(2))
        try wire.send(bytes: (0..<10).flatMap { _ in WireFrame.ping().bytes })
        #expect(!wire.isOpen)
        #expect(
            observer.names == ["opened", "began", "began", "failed", "ended", "ended", "closed"])
        let failure = try #require(observer.failures.first)
        #expect(failure.exceededLimit == "too_many_pings")
        #expect(failure.isClientsFault)
        #expect("\(failure)" == CloseReason.pings.description)
        #expect(observer.endedCalls.map(\.status.code) == [.cancelled, .cancelled])
        #expect(observer.endedCalls.map(\.duration) == [.seconds(2), .seconds(2)])
    }

    @Test(
        "What ends a connection has its fault",
        arguments: [
            (WireFrame(.data, payload: [0]).bytes, nil, true),
            (Array("GET / HTTP/1.1\r\n\r\n".utf8), nil, false),
        ] as [([UInt8], String?, Bool)])
    func faults(_ bytes: [UInt8], _ limit: String?, _ isClientsFault: Bool) throws {
        let wire = try WireChannel(WireChannel.serverConnection(observers: [observer]))
        if isClientsFault { try wire.send(bytes: WireFrame.preface + WireFrame.settings().bytes) }
        try wire.send(bytes: bytes)
        #expect(!wire.isOpen)
        #expect(observer.names == ["opened", "failed", "closed"])
        #expect(observer.failures.map(\.exceededLimit) == [limit])
        #expect(observer.failures.map(\.isClientsFault) == [isClientsFault])
    }

    @Test("A client that just closes does not fail; its connection and calls end with what they came to")
    func close() throws {
        let wire = try server()
        try wire.expectSum(on: 1)
        try wire.send(.headers(.request, on: 3))
        try wire.advance(.seconds(3))
        wire.close()
        #expect(observer.names == ["opened", "began", "ended", "began", "ended", "closed"])
        #expect(observer.endedCalls.map(\.status.code) == [.ok, .cancelled])
        let connection = try #require(observer.closedConnections.first)
        #expect(connection.peer == Peer(address: "unix:/test"))
        #expect(connection.duration == .seconds(3))
        #expect(connection.calls == 2)
        #expect(connection.bytesSent == wire.bytes.count)
        #expect(connection.bytesReceived == observer.endedCalls.last?.connectionBytesReceived)
    }

    @Test("A client's GOAWAY is told of, its words made printable")
    func goAway() throws {
        let wire = try server()
        try wire.send(.headers(.request, on: 1), .goAway(lastStreamID: 0, code: 11, debug: "no\nmore"))
        guard case .goesAway(let code, let debug) = try #require(observer.notes.last) else {
            Issue.record("\(observer.names)")
            return
        }
        #expect(code == "ENHANCE_YOUR_CALM")
        #expect(debug == "no\nmore".escapedForDisplay)
        #expect(debug != "no\nmore")
        // Its calls go on.
        try wire.send(.data([], on: 1, endStream: true))
        #expect(observer.endedCalls.map(\.status) == [.ok])
    }

    // MARK: Who is told

    @Test("An observer that takes no interest in a connection is told nothing more of it")
    func indifferent() throws {
        let indifferent = NotingObserver(observesConnections: false)
        let wire = try WireChannel.server(observers: [indifferent, observer])
        try wire.expectSum(on: 1)
        wire.close()
        #expect(indifferent.names == ["opened"])
        #expect(observer.names == ["opened", "began", "ended", "closed"])
    }

    @Test("An observer that takes no interest in calls is told of everything else")
    func withoutCalls() throws {
        let aloof = NotingObserver(observesCalls: false)
        let wire = try WireChannel.server(observers: [aloof, observer])
        try wire.expectSum(on: 1)
        try wire.send(.headers(.request + [WireField("connection", "close")], on: 3))
        try wire.send(.headers(.request, on: 5))
        try wire.send(bytes: (0..<10).flatMap { _ in WireFrame.ping().bytes })
        #expect(!wire.isOpen)
        #expect(aloof.names == ["opened", "refused", "failed", "closed"])
        #expect(aloof.closedConnections.map(\.calls) == [2])
        #expect(
            observer.names == ["opened", "began", "ended", "refused", "began", "failed", "ended", "closed"])
    }

    @Test("Several observers are told the same")
    func several() throws {
        let other = NotingObserver()
        let wire = try WireChannel.server(observers: [observer, other])
        for call in UInt32(0)..<3 { try wire.expectSum(on: 2 * call + 1) }
        wire.close()
        #expect(observer.names == ["opened"] + (0..<3).flatMap { _ in ["began", "ended"] } + ["closed"])
        #expect(other.names == observer.names)
    }

    @Test("A started server tells of its clients, and of methods written with async/await")
    func started() async throws {
        let method = GRPCMethod.unary(path: "/t.T/Double") { (request: Tutorial_NumberRequest, _) in
            Tutorial_NumberResponse.with { $0.sum = 2 * request.num }
        }
        let address = try await withServer([method], observers: [observer]) { _, target in
            let client = try await GRPCClient.connect(to: target, timeout: .seconds(60))
            let double: Tutorial_NumberResponse = try await client.unary(
                "/t.T/Double", Tutorial_NumberRequest.with { $0.num = 21 })
            #expect(double.sum == 42)
            await client.close()
            return "\(target)"
        }
        #expect(observer.names == ["opened", "began", "ended", "goesAway", "closed"])
        let call = try #require(observer.endedCalls.first)
        #expect(call.messages == MessageCounts(received: 1, sent: 1))
        #expect([call.bytesReceived, call.bytesSent] == [7, 7])
        #expect(call.peer.address.hasPrefix("127.0.0.1:"))
        #expect(call.peer.address != address)
        #expect(observer.closedConnections.map(\.peer) == [call.peer])
    }
}
