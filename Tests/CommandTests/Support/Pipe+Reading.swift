import Foundation

extension Pipe {
    /// Reads until `text` has arrived, or the end.
    ///
    /// - Returns: everything read.
    @discardableResult
    func read(until text: String) async -> String {
        await Tool.offload {
            var seen = Data()
            while !String(decoding: seen, as: UTF8.self).contains(text),
                let byte = try? self.fileHandleForReading.read(upToCount: 1), !byte.isEmpty
            {
                seen += byte
            }
            return String(decoding: seen, as: UTF8.self)
        }
    }
}
