internal import NIOCore

/// The outgoing body of one stream. The session pulls it frame by frame, as the flow-control windows open.
protocol HTTP2Body: AnyObject {
    /// Appends the next bytes of the body, at most `frame.freeCapacity`. That may be as little as one byte, so messages
    /// are cut wherever the frame ends.
    ///
    /// A body that appends nothing and stays `.open` is parked until `HTTP2Session.resume`.
    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState

    /// Returns the next bytes, at most `maximum`, in the memory they are in, if there are so many that copying them
    /// costs more than sending them separately. Called before `fill` when the windows allow a long frame.
    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)?

    /// Whether `restart` works, so that nobody need keep what was sent. False by default.
    var canRestart: Bool { get }

    /// Begins again with the first byte. Called while nothing of the body is being sent.
    func restart()
}

extension HTTP2Body {
    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? { nil }
    var canRestart: Bool { false }
    func restart() {}
}

enum HTTP2BodyState: Equatable {
    case open
    /// These were the last bytes. Trailers follow; END_STREAM if there are none.
    case finished(trailers: [HTTP2Field])
}
