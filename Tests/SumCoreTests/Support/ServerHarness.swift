import Logging
import NIOCore
import NIOEmbedded

@testable import SumCore

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
            configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        try exchange()
    }

    /// Carries bytes both ways until neither side has any.
    func exchange() throws {
        while true {
            _ = try client.send(limit: 1 << 20)
            let sent = client.output
            client.output.clear()
            if sent.readableBytes > 0, channel.isActive { try channel.writeInbound(sent) }
            var received = 0
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
                received += bytes.readableBytes
                try client.receive(bytes)
            }
            events += client.takeEvents(reusing: [])
            if sent.readableBytes + received == 0 { return }
        }
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
