import CNghttp2

/// Parses the bytes of one side of a connection into frames, with header blocks decoded.
public final class WireReader {
    private var buffered: [UInt8] = []
    /// An incomplete header block, which continues in a CONTINUATION.
    private var block: [UInt8] = []
    private let inflater: OpaquePointer?

    /// Whether the bytes begin with a client's preface, which is skipped.
    private var expectsPreface: Bool

    public init(ofClient: Bool = false) {
        expectsPreface = ofClient
        var inflater: OpaquePointer?
        nghttp2_hd_inflate_new(&inflater)
        self.inflater = inflater
    }

    deinit {
        nghttp2_hd_inflate_del(inflater)
    }

    /// - Returns: the frames that these bytes complete.
    public func read(_ bytes: some Sequence<UInt8>) -> [WireFrame] {
        buffered += bytes
        if expectsPreface {
            guard buffered.count >= WireFrame.preface.count else { return [] }
            buffered.removeFirst(WireFrame.preface.count)
            expectsPreface = false
        }
        var frames: [WireFrame] = []
        while let frame = next() { frames.append(frame) }
        return frames
    }

    private func next() -> WireFrame? {
        guard buffered.count >= 9, let length = UInt32(wireBytes: [0] + buffered[..<3]),
            buffered.count >= 9 + Int(length), let streamID = UInt32(wireBytes: buffered[5...])
        else { return nil }
        var frame = WireFrame(
            WireFrame.Kind(rawValue: buffered[3]), flags: WireFrame.Flags(rawValue: buffered[4]),
            on: streamID,
            payload: Array(buffered[9..<(9 + Int(length))]))
        buffered.removeFirst(9 + Int(length))
        if frame.kind == .headers || frame.kind == .continuation {
            // Neither of our roles sends padding or priorities.
            block += frame.payload
            if frame.flags.contains(.endHeaders) { frame.fields = decodeBlock() }
        }
        return frame
    }

    /// Decodes HPACK with nghttp2; an invalid field ends the list.
    private func decodeBlock() -> [WireField] {
        var fields: [WireField] = []
        var offset = 0
        while true {
            var pair = nghttp2_nv()
            var flags: Int32 = 0
            let count = block.withUnsafeBufferPointer { bytes in
                nghttp2_hd_inflate_hd2(
                    inflater, &pair, &flags, bytes.baseAddress.map { $0 + offset }, bytes.count - offset, 1)
            }
            guard count >= 0 else { break }
            offset += count
            if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                let name = UnsafeBufferPointer(start: pair.name, count: pair.namelen)
                let value = UnsafeBufferPointer(start: pair.value, count: pair.valuelen)
                fields.append(WireField(String(decoding: name, as: UTF8.self), bytes: Array(value)))
            }
            if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 || (flags == 0 && offset == block.count)
            {
                break
            }
        }
        nghttp2_hd_inflate_end_headers(inflater)
        block = []
        return fields
    }
}
