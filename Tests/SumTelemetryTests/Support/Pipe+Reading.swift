import Foundation

extension Pipe {
    /// Reads until the pipe is closed, on a thread of its own: those of tasks may all be waiting for writers.
    func reading() -> Reading {
        let (texts, continuation) = AsyncStream.makeStream(of: String.self)
        let handle = fileHandleForReading
        Thread.detachNewThread {
            continuation.yield(String(decoding: handle.readDataToEndOfFile(), as: UTF8.self))
            continuation.finish()
        }
        return Reading(texts: texts)
    }

    struct Reading {
        fileprivate let texts: AsyncStream<String>

        /// All that was read.
        var value: String {
            get async {
                for await text in texts { return text }
                return ""
            }
        }
    }
}
