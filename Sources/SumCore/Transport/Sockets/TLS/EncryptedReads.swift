internal import NIOCore

/// Stands in front of TLS on a server. It hands on a read in pieces, and gives the memory of each read back when TLS has
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

    /// Bytes after which a connection is one of the few that send much, whose speed counts more than its memory. Then the
    /// data of `manyRecords` long records is in a piece, and NIOSSL's buffer grows from 32 KiB to 128.
    static let fewBytes = 16 << 20
    static let manyRecords = 7

    private let buffers: ReceiveBuffers
    private var byteCount = 0
    private var records = TLSRecords()
    private var isLong = false

    init(_ buffers: ReceiveBuffers) {
        self.buffers = buffers
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = unwrapInboundIn(data)
        byteCount += read.readableBytes
        var rest = read
        while let piece = nextPiece(of: &rest) {
            if !isLong {
                isLong = true
                context.fireUserInboundEventTriggered(LongRead.begins)
            }
            context.fireChannelRead(wrapInboundOut(piece))
            context.fireChannelReadComplete()
        }
        context.fireChannelRead(wrapInboundOut(rest))
        buffers.giveBack(read)
    }

    /// Takes a piece from `rest`, unless that is the last one.
    private func nextPiece(of rest: inout ByteBuffer) -> ByteBuffer? {
        let limit = (byteCount <= Self.fewBytes ? 1 : Self.manyRecords) * TLSRecords.maxLength
        let length = records.pieceLength(of: rest.readableBytesSpan, limit: limit)
        return length < rest.readableBytes ? rest.readSlice(length: length) : nil
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        guard isLong else { return }
        isLong = false
        context.fireUserInboundEventTriggered(LongRead.ended)
    }
}
