internal import NIOCore

extension OutputRawSpan {
    /// Moves as many bytes from `buffer` as fit.
    ///
    /// Sound because the two pieces of memory are borrowed for the length of the copy only, and the count that
    /// is reported as initialized is the count copied.
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
