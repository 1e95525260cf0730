/// Records which of its newest streams a client has begun, and which it has ended with END_STREAM or RST_STREAM.
///
/// Frames on a stream after its sender has ended it are an error (RFC 9113 sections 5.1 and 6.1), and so is a new
/// stream with a lower id than the last (section 5.1.1). nghttp2 forgets closed streams and ignores frames on them,
/// because it cannot distinguish these errors from frames that were in flight when we reset the stream. This covers the
/// newest 128 streams; frames on older ones are ignored.
struct StreamHistory {
    private var newest: UInt32 = 0
    /// Bit n stands for the stream `newest - 2 n`.
    private var (begun, ended): (UInt128, UInt128) = (0, 0)

    enum Fault: Equatable {
        /// HEADERS on a stream that the client has ended.
        case headersAfterEnd
        /// HEADERS begin a stream with a lower id than the last.
        case skippedStream
        /// PRIORITY on stream 0 (section 6.3). nghttp2 ignores it, like all priorities.
        case priorityWithoutStream
    }

    mutating func receivedHeaders(on streamID: UInt32, endStream: Bool) -> Fault? {
        // Even ids are the server's; nghttp2 checks those.
        guard streamID % 2 == 1 else { return nil }
        if streamID > newest {
            let distance = (streamID - newest) / 2
            // The first stream may have any id.
            (begun, ended) = newest == 0 ? (0, 0) : (begun << distance, ended << distance)
            newest = streamID
            begun |= 1
            if endStream { ended |= 1 }
            return nil
        }
        guard let bit = bit(of: streamID) else { return nil }
        if ended & bit != 0 { return .headersAfterEnd }
        if begun & bit == 0 { return .skippedStream }
        if endStream { ended |= bit }
        return nil
    }

    /// - Returns: false if the client had ended the stream.
    mutating func receivedData(on streamID: UInt32, endStream: Bool) -> Bool {
        guard let bit = bit(of: streamID) else { return true }
        guard ended & bit == 0 else { return false }
        if endStream { ended |= bit }
        return true
    }

    mutating func receivedReset(of streamID: UInt32) {
        if let bit = bit(of: streamID), begun & bit != 0 { ended |= bit }
    }

    private func bit(of streamID: UInt32) -> UInt128? {
        guard streamID % 2 == 1, streamID <= newest else { return nil }
        let distance = (newest - streamID) / 2
        return distance < UInt128.bitWidth ? 1 << UInt128(distance) : nil
    }
}
