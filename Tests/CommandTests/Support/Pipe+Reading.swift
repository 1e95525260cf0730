import Foundation

extension Pipe {
    /// Reads until `text` has arrived, or the end.
    ///
    /// Only the last bytes are compared each time: looking through everything again would take longer than a busy program
    /// takes to write more, and so never end.
    ///
    /// - Returns: everything read.
    @discardableResult
    func read(until text: String) async -> String {
        await Tool.offload {
            let wanted = Data(text.utf8)
            var seen = Data()
            while seen.suffix(wanted.count) != wanted,
                let byte = try? self.fileHandleForReading.read(upToCount: 1), !byte.isEmpty
            {
                seen += byte
            }
            return String(decoding: seen, as: UTF8.self)
        }
    }

    /// Reads `count` bytes, or all that come.
    func read(count: Int) async -> String {
        await Tool.offload {
            var seen = Data()
            while seen.count < count,
                let bytes = try? self.fileHandleForReading.read(upToCount: count - seen.count), !bytes.isEmpty
            {
                seen += bytes
            }
            return String(decoding: seen, as: UTF8.self)
        }
    }
}
