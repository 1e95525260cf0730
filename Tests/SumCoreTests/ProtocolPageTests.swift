import Foundation
import Testing

/// docs/protocol.md and docs/reliability.md promise tests for each duty and each case; here the promises are held
/// against the tests' names.
@Suite struct ProtocolPageTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

    private struct Row {
        var id: String
        var sources: [String]
        var suites: [String]
    }

    /// A title that begins with ids.
    private static var namePattern: Regex<(Substring, Substring)> {
        /"((?:(?:audit-)?[A-Z]\d+|finding \d+)(?:, (?:(?:audit-)?[A-Z]\d+|finding \d+))*):/
    }

    private static func rows(of page: String) throws -> [Row] {
        let page = try String(contentsOf: root.appending(path: "docs/\(page)"), encoding: .utf8)
        return page.matches(of: /(?m)^\| ((?:audit-)?[A-Z]\d+) \| .* \| (.*) \| (.*) \|$/).map { match in
            Row(
                id: String(match.1), sources: match.2.matches(of: /`([^`]+)`/).map { String($0.1) },
                suites: match.3.split(separator: ", ").map(String.init))
        }
    }

    @Test(
        "Each duty and case has the tests that its page names, and is done where it says",
        arguments: [
            ("protocol.md", ["R": 11, "S": 24, "A": 21, "K": 17, "V": 5, "N": 3]),
            (
                "reliability.md",
                ["H": 4, "G": 18, "P": 8, "R": 20, "L": 11, "D": 5, "K": 18, "F": 5, "S": 1, "a": 34]
            ),
        ] as [(String, [Character: Int])])
    func page(_ page: String, _ count: [Character: Int]) throws {
        let rows = try Self.rows(of: page)
        let groups = Dictionary(grouping: rows.compactMap(\.id.first)) { $0 }.mapValues(\.count)
        #expect(groups == count)
        let tests = try Self.filesByName(in: "Tests")
        for row in rows {
            for suite in row.suites {
                let text = try String(
                    contentsOf: #require(tests["\(suite).swift"], "\(suite)"), encoding: .utf8)
                let names = text.matches(of: Self.namePattern)
                let ids = names.flatMap { $0.1.split(separator: ", ").map(String.init) }
                #expect(ids.contains(row.id), "no test of \(suite) is named for \(row.id)")
            }
            for source in row.sources {
                let folder = source.hasPrefix("sum-") ? "Sources" : "Sources/SumCore"
                let path = Self.root.appending(path: "\(folder)/\(source)").path
                #expect(FileManager.default.fileExists(atPath: path), "\(row.id): \(source)")
            }
        }
    }

    private static func filesByName(in folder: String) throws -> [String: URL] {
        let files = try #require(
            FileManager.default.enumerator(at: root.appending(path: folder), includingPropertiesForKeys: nil))
        return Dictionary(files.compactMap { $0 as? URL }.map { ($0.lastPathComponent, $0) }) { first, _ in
            first
        }
    }
}
