#if TLS
internal import NIOCore

/// Stands in front of TLS on a server until the handshake has ended, so that a client whose handshake has failed reads the alert
/// that says why.
///
/// NIOSSL closes the socket right after the alert. Clients lose it if more of what they have sent is on its way
/// (`writeLastWords`): such as the rest of their flight after a certificate that is refused, or HTTP/2, which they send without
/// waiting in TLS 1.3. So only the server's side is closed, until the client closes too, or has had time to.
final class AlertDelivery: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long the socket stays open for a client that does not close it.
    private static let patience = TimeAmount.seconds(1)

    private var hasFailed = false
    private var isClosing = false
    private var timer: Scheduled<Void>?

    /// TLS has failed, and will close the socket.
    func handshakeFailed() {
        hasFailed = true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        context.fireChannelRead(data)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard hasFailed, mode == .all else { return context.close(mode: mode, promise: promise) }
        if let promise { context.channel.closeFuture.cascade(to: promise) }
        guard !isClosing else { return }
        isClosing = true
        context.writeLastWords(ByteBuffer())
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }
}
#endif
