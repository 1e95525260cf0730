internal import NIOCore

extension OutputRawSpan {
    /// Moves as many bytes as fit from `buffer` to the end of the span.
    ///
    /// Sound because both pieces of memory are borrowed only during the copy, and exactly the copied bytes are reported
    /// as initialized.
    mutating func append(moving buffer: inout ByteBuffer) {
        let count = min(freeCapacity, buffer.readableBytes)
        guard count > 0 else { return }
        unsafe withUnsafeMutableBytes { target, initialized in
            unsafe buffer.withUnsafeReadableBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[initialized...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
            }
            initialized += count
        }
        buffer.moveReaderIndex(forwardBy: count)
    }
}
