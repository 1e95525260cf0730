internal import CNghttp2
internal import NIOCore

/// DATA frames that are sent: nghttp2 asks for each when the windows allow it.
extension HTTP2Session {
    /// Bytes of the next DATA frame's payload at most, apart from the windows.
    ///
    /// nghttp2 enlarges its buffer for a long frame, and keeps it. So only frames that follow other output are long,
    /// and a server, which has many connections, sends no long frames.
    func maxFrameSize(ofPeer peer: UInt32) -> Int {
        let isLongBatch = role == .client && output.count >= HTTP2Output.defaultFrameSize
        return min(Int(peer), isLongBatch ? Int(configuration.maxFrameSize) : HTTP2Output.defaultFrameSize)
    }

    /// Lets a stream's body fill its next frame. nghttp2 calls `finishFrame` directly afterwards, which adds the header
    /// (NGHTTP2_DATA_FLAG_NO_COPY).
    ///
    /// - Returns: the payload length, or nil if the body has nothing to send now.
    func fillFrame(on streamID: Int32, maximum: Int) -> (count: Int, state: HTTP2BodyState)? {
        guard let body = bodies[streamID] else { return (0, .finished(trailers: [])) }
        if maximum >= HTTP2Output.defaultFrameSize, let (bytes, state) = body.takeLongPiece(maximum: maximum)
        {
            output.setPayload(bytes)
            return (bytes.readableBytes, state)
        }
        // Taken out meanwhile, since the body is called.
        var buffer = output.takeBuffer()
        defer { output.putBack(buffer) }
        return HTTP2Output.fill(&buffer, from: body, maximum: maximum)
    }

    /// - Returns: whether the output has reached its limit.
    func finishFrame(header: UnsafePointer<UInt8>, payloadLength: Int) -> Bool {
        unsafe output.finishFrame(header: header, payloadLength: payloadLength)
        return output.count >= outputLimit
    }

    /// Submits trailers. Called while the body's last frame is made, so that they cannot overtake it.
    func submitTrailers(_ fields: [HTTP2Field], on streamID: Int32) -> Bool {
        unsafe memory.trailers.lend(fields) { unsafe nghttp2_submit_trailer(session, streamID, $0, $1) } == 0
    }
}
