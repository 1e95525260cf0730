import SumCore
import SystemPackage

/// The file with the tokens of callers.
struct TokenFile: Reloadable {
    private let path: FilePath
    let table: TokenTable

    /// - Throws: an error that says what is wrong with the file.
    init(_ path: String) throws {
        self.path = FilePath(path)
        let contents = try SmallFile.read(self.path, limit: TokenTable.fileLimit)
        do {
            table = try TokenTable(contents)
        } catch {
            throw Self.failure(error, self.path)
        }
    }

    private static func failure(_ error: TokenTable.InvalidFile, _ path: FilePath) -> SmallFile.Failure {
        SmallFile.Failure(description: "\(path.string.escapedWhole): \(error)")
    }

    func reload() throws -> Bool {
        guard !SmallFile.isPipe(path) else { return false }
        let contents = try SmallFile.read(path, limit: TokenTable.fileLimit)
        do {
            return try table.replace(with: contents)
        } catch {
            throw Self.failure(error, path)
        }
    }

    var summary: String { "\(table) in \(path.string.escapedWhole)" }

    var warning: String? {
        SmallFile.isReadableByOthers(path)
            ? "others than its owner may read the tokens in \(path.string.escapedWhole): give it mode 0600"
            : nil
    }
}
