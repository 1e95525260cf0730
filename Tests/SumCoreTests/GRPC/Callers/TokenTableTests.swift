import Testing

@testable import SumCore

@Suite struct TokenTableTests {
    private static let first = "0123456789abcdef"
    private static let second = "fedcba9876543210=="

    private func table(_ text: String) throws(TokenTable.InvalidFile) -> TokenTable {
        try TokenTable(Array(text.utf8))
    }

    @Test(
        "A line has a token, and perhaps a name",
        arguments: [
            "\(first) batch\n\(second)\n", "# tokens\r\n\r\n\(first)\tbatch\r\n  \(second)  \r\n",
            "\(second)\n\(first)   batch # the nightly one", "\(first) batch #\n#x y z\n\(second) # nobody's",
        ])
    func lines(_ text: String) throws {
        let table = try table(text)
        #expect(table.owner(of: Self.first.utf8) == .known(name: "batch"))
        #expect(table.owner(of: Self.second.utf8) == .known(name: nil))
        for other in ["", "x", "0123456789abcdeg", "1123456789abcdef", "\(Self.first)0", "fedcba9876543210="]
        {
            #expect(table.owner(of: other.utf8) == .unknown)
        }
    }

    @Test(
        "A file that cannot be meant is refused, with the line and without the token",
        arguments: [
            ("", "there is no token in it"), ("\n# none\n", "there is no token in it"),
            ("short", "the token in line 1 has less than 16 bytes"),
            (
                "\n0123456789abcde\u{e9}",
                "the token in line 2 has other characters than letters, digits and -._~+/, and = at its end"
            ),
            (
                "=0123456789abcdef",
                "the token in line 1 has other characters than letters, digits and -._~+/, and = at its end"
            ),
            ("\(first) a b", "line 1 has more than a token and a name"),
            ("\(first) a\n\(first) b", "line 2 has a token for the second time"),
            ("\(first) a\u{1b}", "the name in line 1 is too long, or not printable"),
            (
                "\(first) \(String(repeating: "n", count: 257))",
                "the name in line 1 is too long, or not printable"
            ),
            (String(repeating: "a", count: 4097), "line 1 has more than 4096 bytes"),
        ])
    func invalid(_ text: String, _ reason: String) {
        #expect(throws: TokenTable.InvalidFile(description: reason)) { try table(text) }
    }

    @Test("A thousand tokens of 4 KiB are the most")
    func limits() throws {
        func file(_ count: Int, _ length: Int) -> String {
            (0..<count).map { String(repeating: "a", count: length - 6) + "\(100_000 + $0)" }
                .joined(separator: "\n")
        }
        #expect(try table(file(1, 4096)).owner(of: file(1, 4096).utf8) == .known(name: nil))
        let full = try table(file(1000, 64))
        #expect(full.owner(of: file(1, 64).utf8) == .known(name: nil))
        #expect(full.owner(of: file(1, 65).utf8) == .unknown)
        #expect(throws: TokenTable.InvalidFile(description: "there are more than 1000 tokens")) {
            try table(file(1001, 64))
        }
    }

    @Test("abuse-A6: tokens are replaced all or nothing, and it is told what has changed")
    func replacement() throws {
        let table = try table("\(Self.first) batch\n")
        #expect(try table.replace(with: Array("\(Self.first) batch # same\n".utf8)) == false)
        let added = try table.replace(with: Array("\(Self.first) batch\n\(Self.second)".utf8))
        #expect(added == true)
        #expect("\(table)" == "2 tokens")
        #expect(table.owner(of: Self.second.utf8) == .known(name: nil))
        for bad in ["", "x", "\(Self.second)\nshort"] {
            #expect(throws: TokenTable.InvalidFile.self) { try table.replace(with: Array(bad.utf8)) }
            #expect(table.owner(of: Self.first.utf8) == .known(name: "batch"))
        }
        let removed = try table.replace(with: Array(Self.second.utf8))
        #expect(removed == true)
        #expect(table.owner(of: Self.first.utf8) == .unknown)
    }

    @Test("abuse-A5: no description shows a token")
    func descriptions() throws {
        let table = try table(Self.first)
        var dumped = ""
        dump(table, to: &dumped)
        #expect("\(table)" == "1 token")
        #expect(!"\(table) \(String(reflecting: table)) \(dumped)".contains(Self.first))
    }
}
