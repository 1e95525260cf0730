import Foundation
import Testing

/// The files of this repository, for tests that hold them against each other.
enum Repository {
    static let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL

    /// The files below a folder whose names end so, by their paths from there.
    static func files(in folder: String, withExtension suffix: String) throws -> [String: URL] {
        let folder = root.appending(path: folder)
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }
            .filter { $0.pathExtension == suffix }
        return Dictionary(
            uniqueKeysWithValues: files.map { (String($0.path.dropFirst(folder.path.count + 1)), $0) })
    }
}
