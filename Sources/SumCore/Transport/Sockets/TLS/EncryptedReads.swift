internal import NIOCore

/// Stands in front of TLS on a server, and gives the memory of each read back when TLS has decrypted it.
final class EncryptedReads: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let buffers: ReceiveBuffers

    init(_ buffers: ReceiveBuffers) {
        self.buffers = buffers
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(data)
        buffers.giveBack(unwrapInboundIn(data))
    }
}
