internal import Logging
internal import NIOCore
internal import SystemPackage

/// Stops a listener for a second when it cannot accept, mostly for want of descriptors, and says so.
///
/// SwiftNIO 2.101 goes on at once, as often as the loop turns. Its own `AcceptBackoffHandler`, which `bind` does not
/// add, changes nothing: it holds back the next read, but the one that failed is still pending.
final class AcceptBackoff: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.seconds(1)

    private let logger: Logger
    /// Whether nothing has been accepted since it was said.
    private var isFailing = false

    init(logger: Logger) {
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason = (error as? IOError).map { Errno(rawValue: $0.errnoCode) }
        // One that has gone before it was accepted says nothing of the next.
        if reason == .connectionAbort { return }
        if !isFailing {
            logger.warning(
                "cannot accept connections", metadata: ["error": "\(FailureText.describe(error))"])
        }
        isFailing = true
        setReading(false, of: context)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { self.setReading(true, of: context) }
    }

    private func setReading(_ isReading: Bool, of context: ChannelHandlerContext) {
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isFailing = false
        context.fireChannelRead(data)
    }
}
