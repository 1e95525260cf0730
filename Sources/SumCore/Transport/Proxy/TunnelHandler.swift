internal import NIOCore

/// Stands in front of a client's connection until a proxy has opened the tunnel to its server, and then removes itself.
///
/// Until then, the handlers behind it notice nothing: for them the channel becomes active with the tunnel.
final class TunnelHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Progress {
        /// The proxy is connected, and has not answered.
        case asked
        /// The tunnel stands.
        case established
        case failed(ConnectFailure)
    }

    private var handshake: TunnelHandshake
    private var isOver = false
    private let report: (Progress) -> Void
    private var context: ChannelHandlerContext?

    /// - Parameter report: called first with `asked`, and last with one of the others.
    init(_ tunnel: Tunnel, _ report: @escaping (Progress) -> Void) {
        handshake = TunnelHandshake(tunnel)
        self.report = report
    }

    /// Fails an attempt for which the time is up, if the proxy has not answered.
    ///
    /// - Returns: whether it had not.
    func giveUp() -> Bool {
        guard !isOver else { return false }
        fail(handshake.silence)
        return true
    }

    private func fail(_ failure: ConnectFailure) {
        guard !isOver else { return }
        isOver = true
        report(.failed(failure))
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        do throws(ConnectFailure) {
            let request = try handshake.request()
            report(.asked)
            context.writeAndFlush(wrapOutboundOut(request), promise: nil)
        } catch {
            fail(error)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        switch handshake.receive(unwrapInboundIn(data)) {
        case .wait:
            break
        case .failed(let failure):
            fail(failure)
        case .established(let rest):
            isOver = true
            report(.established)
            context.fireChannelActive()
            if rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
            // The end of this read reaches the next handler without us.
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(handshake.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        var failure = handshake.closed
        failure.description += ": \(FailureText.describe(error))"
        fail(failure)
    }

    // Of no interest to a connection that has not begun.
    func channelReadComplete(context: ChannelHandlerContext) {}
    func channelWritabilityChanged(context: ChannelHandlerContext) {}
}
