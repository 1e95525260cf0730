/// Which of its newest streams a client has begun, and which it has ended, with END_STREAM or RST_STREAM.
///
/// What follows on a stream that its sender has ended is an error (RFC 9113 sections 5.1 and 6.1), and so is a new
/// stream with a lower number than the last (section 5.1.1). nghttp2 forgets closed streams and passes over what comes on
/// them, since it cannot tell these errors from what was on its way when we reset a stream. Of streams that are older
/// than the newest 128, neither can this; they are passed over too.
struct StreamHistory {
    private var newest: UInt32 = 0
    /// Bit n: the stream `newest - 2 n`.
    private var (begun, ended): (UInt128, UInt128) = (0, 0)

    enum Fault: Equatable {
        /// HEADERS on a stream that the client has ended.
        case headersAfterEnd
        /// HEADERS begin a stream with a lower number than the last.
        case skippedStream
        /// PRIORITY names no stream (section 6.3), which nghttp2 passes over together with all priorities.
        case priorityWithoutStream
    }

    mutating func receivedHeaders(on streamID: UInt32, endStream: Bool) -> Fault? {
        // Even numbers are the server's, which nghttp2 judges.
        guard streamID % 2 == 1 else { return nil }
        if streamID > newest {
            let distance = (streamID - newest) / 2
            // The first stream of all may have any number.
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

    /// - Returns: false when the client had ended the stream.
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
