@testable import SumCore

/// Lends a frame with room for `room` bytes, and gives what was written into it.
func withFrame<Result>(room: Int, _ body: (inout OutputRawSpan) throws -> Result) rethrows -> (
    bytes: [UInt8], result: Result
) {
    var result: Result?
    let bytes = try [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        let memory = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<room])
        var frame = OutputRawSpan(buffer: memory, initializedCount: 0)
        result = try body(&frame)
        count = frame.finalize(for: memory)
    }
    guard let result else { preconditionFailure("the body runs once") }
    return (bytes, result)
}
