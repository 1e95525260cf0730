extension RawSpan {
    /// The byte at `index`, with a bounds check.
    func byte(at index: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }
}
