import Logging
import NIOCore
import NIOEmbedded

@testable import SumCore

/// Carries bytes between a session and a connection without a socket until neither has any.
///
/// - Returns: the session's events.
func exchange(_ session: HTTP2Session, with channel: EmbeddedChannel) throws -> [HTTP2Event] {
    var events: [HTTP2Event] = []
    while true {
        _ = try session.send(limit: 1 << 20)
        let sent = session.allOutput()
        if sent.readableBytes > 0, channel.isActive { try channel.writeInbound(sent) }
        channel.embeddedEventLoop.run()
        var received = 0
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            received += bytes.readableBytes
            try session.receive(bytes)
        }
        events += session.takeEvents()
        if sent.readableBytes + received == 0 { return events }
    }
}

/// A server's connection without a socket, and a bare HTTP/2 client that drives it. Time stands still unless
/// it is advanced.
final class ServerHarness {
    let channel = EmbeddedChannel()
    let client: HTTP2Session
    private(set) var events: [HTTP2Event] = []

    init(
        methods: [GRPCMethod] = [SumNumbers.method()], configuration: GRPCServer.Configuration = .init()
    ) throws {
        client = try HTTP2Session(role: .client)
        let connection = try ServerConnection(
            methods: Dictionary(uniqueKeysWithValues: methods.map { ($0.path, $0) }),
            limits: configuration)
        try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(connection, resources: LoopResources(eventLoop: channel.embeddedEventLoop)))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        try exchange()
    }

    func exchange() throws {
        events += try SumCoreTests.exchange(client, with: channel)
    }

    func request(_ body: any HTTP2Body, fields: [HTTP2Field] = Sample.request) throws -> Int32 {
        let stream = try client.submitRequest(fields, body: body)
        try exchange()
        return stream
    }

    /// How the call on a stream ended; nil if it has not.
    func status(of stream: Int32) -> GRPCStatus? {
        events.headers(of: stream).compactMap { GRPCStatus(trailers: $0) }.last
    }
}

/// A handler that notes what it is told, and answers what it is given.
final class NotingHandler: ServerCallHandler {
    var received = 0
    var hasEnd = false
    var cancellation: GRPCStatus?
    var onReceive: (ByteBuffer) -> ServerReply = { ServerReply(consumed: $0.readableBytes) }
    var onEnd: () -> ServerReply = { ServerReply(end: .ok) }

    let outlivesStream = false

    func receive(_ bytes: ByteBuffer) -> ServerReply {
        received += bytes.readableBytes
        return onReceive(bytes)
    }

    func receiveEnd() -> ServerReply {
        hasEnd = true
        return onEnd()
    }

    func cancel(_ reason: GRPCStatus) {
        cancellation = reason
    }
}
