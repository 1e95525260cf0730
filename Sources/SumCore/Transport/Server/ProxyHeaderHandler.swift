internal import NIOCore

/// Stands in front of a server's connection until a proxy has said who its client is (`ProxyHeader`), and then removes
/// itself.
///
/// Until then, the handlers behind it notice nothing: for them the channel becomes active after the header.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// How long the header may take.
    private let limit: TimeAmount
    /// Is given the header. If it throws, the connection is closed.
    private let accept: (ProxyHeader) throws -> Void
    /// Is told why there is no header, unless the proxy has closed the connection without a word.
    private let fail: (String) -> Void
    private var received = ByteBuffer()
    private var isOver = false
    private var timer: Scheduled<Void>?

    init(
        limit: TimeAmount, accept: @escaping (ProxyHeader) throws -> Void, fail: @escaping (String) -> Void
    ) {
        self.limit = limit
        self.accept = accept
        self.fail = fail
    }

    func channelActive(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) {
            self.end(context, "the PROXY protocol header did not come in time")
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    private func end(_ context: ChannelHandlerContext, _ reason: String?) {
        guard !isOver else { return }
        isOver = true
        if let reason { fail(reason) }
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        switch ProxyHeader.read(received.readableBytesView) {
        case .incomplete:
            break
        case .invalid(let reason):
            end(context, "the proxy is believed, but \(reason)")
        case .complete(let header, let length):
            do {
                try accept(header)
            } catch {
                // Who refuses it has logged it.
                return end(context, nil)
            }
            isOver = true
            received.moveReaderIndex(forwardBy: length)
            context.fireChannelActive()
            if received.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(received)) }
            // The end of this read reaches the next handler without us.
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        // The handlers behind have never been active.
        end(context, received.readableBytes == 0 ? nil : "the PROXY protocol header was cut off")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context, FailureText.describe(error))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The server drains, and the connection has not begun.
        if event is ConnectionAction<ServerConnection> { return end(context, nil) }
        context.fireUserInboundEventTriggered(event)
    }

    // Of no interest to a connection that has not begun.
    func channelReadComplete(context: ChannelHandlerContext) {}
    func channelWritabilityChanged(context: ChannelHandlerContext) {}
}
