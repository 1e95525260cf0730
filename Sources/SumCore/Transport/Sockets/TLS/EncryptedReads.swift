internal import NIOCore

/// Stands in front of TLS on a server: hands it one record at a time, and gives the memory of each read back when it has
/// been decrypted.
final class EncryptedReads: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let buffers: ReceiveBuffers
    private var records = RecordCutter()

    init(_ buffers: ReceiveBuffers) {
        self.buffers = buffers
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = unwrapInboundIn(data)
        var rest = read
        while let record = records.next(from: &rest) {
            context.fireChannelRead(wrapInboundOut(record))
            // NIOSSL passes on then what it has decrypted.
            if rest.readableBytes > 0 { context.fireChannelReadComplete() }
        }
        buffers.giveBack(read)
    }
}
