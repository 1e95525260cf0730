internal import NIOCore

/// Stands in front of TLS on a server. It hands on a long read in pieces, and gives the memory of each read back when TLS has
/// decrypted it.
///
/// NIOSSL decrypts what it gets into a buffer that it keeps as long as the connection lives, and empties when a read is
/// complete. So each piece is a read for NIOSSL, which bounds what a connection keeps. For the connection, which writes after
/// each read, all pieces are one: `TLSHandler` joins them.
final class EncryptedReads: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Events around a read of several pieces.
    enum LongRead {
        case begins
        /// The read is complete.
        case ended
    }

    /// In bytes: two records, which NIOSSL decrypts into 64 KiB.
    private static let pieceLength = 32 << 10

    private let buffers: ReceiveBuffers
    private var isLong = false

    init(_ buffers: ReceiveBuffers) {
        self.buffers = buffers
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = unwrapInboundIn(data)
        var rest = read
        if rest.readableBytes > Self.pieceLength {
            isLong = true
            context.fireUserInboundEventTriggered(LongRead.begins)
        }
        while rest.readableBytes > Self.pieceLength, let piece = rest.readSlice(length: Self.pieceLength) {
            context.fireChannelRead(wrapInboundOut(piece))
            context.fireChannelReadComplete()
        }
        context.fireChannelRead(wrapInboundOut(rest))
        buffers.giveBack(read)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        guard isLong else { return }
        isLong = false
        context.fireUserInboundEventTriggered(LongRead.ended)
    }
}
