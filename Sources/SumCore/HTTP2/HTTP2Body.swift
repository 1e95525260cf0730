internal import NIOCore

/// The outgoing body of one stream. The session pulls it, frame by frame, as the flow-control windows open.
protocol HTTP2Body: AnyObject {
    /// Appends the next bytes of the body, at most `frame.freeCapacity` of them; that may be as few as one,
    /// so a message is cut wherever the frame ends.
    ///
    /// Appending nothing to a body that stays `.open` parks it until `HTTP2Session.resume`.
    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState

    /// Hands over the next bytes in the memory they are in, at most `maximum` of them, if there are so many that
    /// copying them costs more than sending them apart. Asked before `fill` when the windows leave a long frame.
    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)?
}

extension HTTP2Body {
    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? { nil }
}

enum HTTP2BodyState: Equatable {
    case open
    /// These were the last bytes. Trailers follow, or END_STREAM when there are none.
    case finished(trailers: [HTTP2Field])
}
