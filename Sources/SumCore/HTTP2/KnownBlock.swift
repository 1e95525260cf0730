/// A valid header block, to compare the next one of its kind with.
final class KnownBlock {
    let fields: [HTTP2Field]
    let buffers: FieldBuffers
    /// The value of `content-length`.
    let promisedLength: Int?
    /// Whether an equal block is valid regardless of what preceded it on its stream. False for an interim response and
    /// the block after it.
    let isGood: Bool

    init(
        fields: [HTTP2Field], buffers: FieldBuffers = FieldBuffers(), promisedLength: Int? = nil,
        isGood: Bool = true
    ) {
        self.fields = fields
        self.buffers = buffers
        self.promisedLength = promisedLength
        self.isGood = isGood
    }
}
