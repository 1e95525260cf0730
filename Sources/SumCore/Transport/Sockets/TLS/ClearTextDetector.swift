internal import NIOCore

/// Stands in front of TLS on a server, until the client's first bytes show whether it speaks TLS, and then removes itself.
/// A client that does not gets an answer in its own protocol: HTTP/1 a response, HTTP/2 an alert of TLS, by which clients
/// recognise it.
final class ClearTextDetector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var beginning = ByteBuffer()
    /// Whether it is decided what the client speaks.
    private(set) var isOver = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        var bytes = unwrapInboundIn(data)
        beginning.writeBuffer(&bytes)
        let client = InvalidPreface(beginning, of: .client, port: .tls)
        switch client.isHTTPRequest {
        case nil:
            break
        case false?:
            isOver = true
            context.fireChannelRead(wrapInboundOut(beginning))
            beginning = ByteBuffer()
            // The end of this read reaches the next handler without us.
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        case true?:
            isOver = true
            context.writeLastWords(client.answer)
            var reason = CloseReason.invalidPreface(client)
            reason.isAnswered = true
            context.fireErrorCaught(reason)
        }
    }
}
