import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS

/// A client's side of TLS, without a socket. It believes every server.
final class WireTLS {
    private let channel = EmbeddedChannel()
    private let handshake = Handshake()

    /// Notes that the handshake has ended.
    private final class Handshake: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var isOver = false

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case TLSUserEvent.handshakeCompleted = event { isOver = true }
        }
    }

    init() throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.trustRoots = .certificates([])
        configuration.applicationProtocols = ["h2"]
        configuration.shutdownTimeout = .zero
        let ssl = try NIOSSLClientHandler(
            context: NIOSSLContext(configuration: configuration), serverHostname: "localhost")
        try channel.pipeline.syncOperations.addHandlers([ssl, handshake])
        // The address is not used. Being connected begins the handshake.
        channel.connect(to: try SocketAddress(unixDomainSocketPath: "/"), promise: nil)
    }

    deinit {
        // Closing waits for the server's answer, or for time to pass.
        channel.close(promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    var isHandshaking: Bool { !handshake.isOver }

    /// What is to be sent by itself, such as the next messages of the handshake.
    func takeRecords() throws -> [UInt8] {
        var records: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            records += buffer.readableBytesView
        }
        return records
    }

    /// The bytes, encrypted.
    func records(of bytes: [UInt8]) throws -> [UInt8] {
        try channel.writeOutbound(ByteBuffer(bytes: bytes))
        return try takeRecords()
    }

    /// Decrypts what the server has sent.
    func receive(_ records: [UInt8]) throws {
        try channel.writeInbound(ByteBuffer(bytes: records))
    }

    /// What was decrypted since the last time.
    func takePlaintext() -> [UInt8] {
        var bytes: [UInt8] = []
        while let buffer = try? channel.readInbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
        return bytes
    }
}
