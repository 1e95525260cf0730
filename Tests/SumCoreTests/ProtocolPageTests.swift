import Foundation
import Testing

/// docs/protocol.md and docs/reliability.md promise tests for each duty and each case; here the promises are held
/// against the tests' titles.
@Suite struct ProtocolPageTests {
    private static let pages = ["protocol.md", "reliability.md"]

    private struct Row {
        var id: String
        var sources: [String]
        var suites: [String]
    }

    /// The ids with which a title begins.
    private static var titlePattern: Regex<(Substring, Substring)> {
        /"((?:grpc|abuse|audit|tls)-[A-Z]\d+(?:, (?:grpc|abuse|audit|tls)-[A-Z]\d+)*):/
    }

    /// The same for ids that do not say which page they are of.
    private static var bareTitlePattern: Regex<Substring> {
        /"(?:[a-z]+-[A-Z]\d+, )*(?:[A-Z]\d+|finding \d+)(?:, [^ :]+)*:/
    }

    private static func lines(of page: String) throws -> [Substring] {
        try String(contentsOf: Repository.root.appending(path: "docs/\(page)"), encoding: .utf8)
            .split(separator: "\n")
    }

    private static func rows(of page: String) throws -> [Row] {
        try lines(of: page).compactMap { line in
            let row = /\| ((?:grpc|abuse|audit|tls)-[A-Z]\d+) \| .* \| (.*) \| (.*) \|/
            return line.wholeMatch(of: row).map { match in
                Row(
                    id: String(match.1), sources: match.2.matches(of: /`([^`]+)`/).map { String($0.1) },
                    suites: match.3.split(separator: ", ").map(String.init))
            }
        }
    }

    /// The texts of the test files, by the files' names without extension.
    private static func tests() throws -> [String: String] {
        let files = try Repository.files(in: "Tests", withExtension: "swift").filter { path, _ in
            path.hasSuffix("Tests.swift")
        }
        return Dictionary(
            try files.map { _, file in
                (
                    file.deletingPathExtension().lastPathComponent,
                    try String(contentsOf: file, encoding: .utf8)
                )
            }, uniquingKeysWith: +)
    }

    private static func ids(in test: String) -> [String] {
        test.matches(of: titlePattern).flatMap { $0.1.split(separator: ", ").map(String.init) }
    }

    @Test("Each row of the two pages has the tests and the sources that it names", arguments: pages)
    func page(_ page: String) throws {
        let rows = try Self.rows(of: page)
        // A row that cannot be read would be passed over.
        #expect(rows.count == (try Self.lines(of: page).count { $0.contains(/^\| \S*[A-Z]\d+ \|/) }))
        let tests = try Self.tests()
        for row in rows {
            for suite in row.suites {
                let test = try #require(tests[suite], "\(suite)")
                #expect(Self.ids(in: test).contains(row.id), "no test of \(suite) is named for \(row.id)")
            }
            for source in row.sources {
                let isElsewhere = source.hasPrefix("sum-") || source.hasPrefix("SumTelemetry/")
                let folder = isElsewhere ? "Sources" : "Sources/SumCore"
                let path = Repository.root.appending(path: "\(folder)/\(source)").path
                #expect(FileManager.default.fileExists(atPath: path), "\(row.id): \(source)")
            }
        }
    }

    @Test("Each id in a title is that of one row")
    func titles() throws {
        let ids = try Self.pages.flatMap { try Self.rows(of: $0).map(\.id) }
        #expect(Set(ids).count == ids.count)
        for (suite, test) in try Self.tests() {
            let strangers = Set(Self.ids(in: test)).subtracting(ids)
            #expect(strangers.isEmpty, "\(suite)")
            #expect(test.firstMatch(of: Self.bareTitlePattern) == nil, "\(suite)")
        }
    }
}
