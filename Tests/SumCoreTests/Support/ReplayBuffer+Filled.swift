import NIOCore

@testable import SumCore

extension ReplayBuffer {
    /// A buffer after so many frames of 16 KiB; it keeps 16.
    static func filled(frames: Int) -> ReplayBuffer {
        var buffer = ReplayBuffer()
        for _ in 0..<frames {
            _ = withFrame(room: 16 << 10) { frame in
                buffer.fill(&frame) { frame in
                    var bytes = ByteBuffer(repeating: 1, count: 16 << 10)
                    frame.append(moving: &bytes)
                    return .open
                }
            }
        }
        return buffer
    }
}
