internal import Logging
internal import NIOCore
internal import SystemPackage

/// Pauses a listener for one second when it cannot accept connections, usually for lack of file descriptors, and logs a
/// warning.
///
/// SwiftNIO 2.101 would retry on every turn of the event loop. Its own `AcceptBackoffHandler`, which `bind` does not
/// add, does not help: it delays the next read, but the failed one is still pending.
final class AcceptBackoff: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.seconds(1)

    private let logger: Logger
    /// Whether the warning was logged. Reset when a connection is accepted.
    private var isFailing = false

    init(logger: Logger) {
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason = (error as? IOError).map { Errno(rawValue: $0.errnoCode) }
        // The client closed the connection before it was accepted. The next one may be fine.
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
