extension RawSpan {
    /// The byte at `index`, bounds checked.
    func byte(at index: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }
}
