import ArgumentParser
import Foundation
import SumCore
import Testing

@testable import sum_client

@Suite struct ArgumentsTests {
    @Test(
        "Numbers are taken from the command line; options and their values remain",
        arguments: [
            (["1", "-2", "3"], [], ["1", "-2", "3"]),
            (["--timeout", "1s", "1"], ["--timeout", "1s"], ["1"]),
            (["--timeout=1s", "5"], ["--timeout=1s"], ["5"]),
            (["1", "--json", "2", "-v"], ["--json", "-v"], ["1", "2"]),
            (["-f", "1", "-"], ["-f", "1"], ["-"]),
            (["-vf", "1", "2"], ["-vf", "1"], ["2"]),
            (["-fa b", "2"], ["-f", "a b"], ["2"]),
            (["-vfa", "2"], ["-v", "-f", "a"], ["2"]),
            (["-f-f", "2"], ["-f", "-f"], ["2"]),
            (["-f=a", "2"], ["-f=a"], ["2"]),
            (["-xf", "2"], ["-xf"], ["2"]),
            (["--file=a", "2"], ["--file=a"], ["2"]),
            (["two", "+5"], [], ["two", "+5"]),
            (["--", "--json", "1"], [], ["--json", "1"]),
            (["-x", "1"], ["-x"], ["1"]),
            (["--metadata", "-1: x", "", "7"], ["--metadata", "-1: x"], ["", "7"]),
        ] as [([String], [String], [String])])
    func split(_ words: [String], _ options: [String], _ operands: [String]) {
        let arguments = Arguments(words)
        #expect(arguments.options == options)
        #expect(arguments.operands.map(\.word) == operands)
    }

    @Test("Operands know their place on the command line")
    func places() throws {
        let arguments = Arguments(["--timeout", "1s", "1", "two"])
        #expect(arguments.operands.map(\.place) == [3, 4])
        #expect(throws: InputError.notANumber(place: "argument 4", word: "two")) {
            try arguments.numbersAndInputs(files: [])
        }
    }

    @Test(
        "Sources of numbers",
        arguments: [
            ([], [], [], [.standardInput]),
            (["1"], [], [1], []),
            (["-"], [], [], [.standardInput]),
            (["1", "-"], ["a"], [1], [.file("a"), .standardInput]),
            ([], ["a", "-"], [], [.file("a"), .standardInput]),
        ] as [([String], [String], [Int32], [Input])])
    func inputs(_ words: [String], _ files: [String], _ numbers: [Int32], _ inputs: [Input]) throws {
        let found = try Arguments(words).numbersAndInputs(files: files)
        #expect(found.numbers == numbers)
        #expect(found.inputs == inputs)
    }

    @Test("The list of options with a value matches ArgumentParser's")
    func optionsWithValue() throws {
        struct Dump: Decodable {
            struct Command: Decodable { var arguments: [Argument] }
            struct Argument: Decodable {
                struct Name: Decodable {
                    var kind: String
                    var name: String
                }
                var kind: String
                var names: [Name]?

                func allNames() -> [String] {
                    (names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name }
                }
            }
            var command: Command
        }
        let dump = try JSONDecoder().decode(Dump.self, from: Data(ClientOptions._dumpHelp().utf8))
        let names = dump.command.arguments.filter { $0.kind == "option" }.flatMap { $0.allNames() }
        #expect(Set(names + ["--generate-completion-script"]) == Set(Arguments.optionsWithValue))
        let flags = dump.command.arguments.filter { $0.kind == "flag" }.flatMap { $0.allNames() }
        #expect(Set(flags.filter { !$0.hasPrefix("--") }) == Set(Arguments.flags.map { "-\($0)" }))
    }

    @Test(
        "audit-C5: escape sequences are used only on terminals that support them",
        arguments: [("xterm", true), ("dumb", false), ("", false), (nil, false)] as [(String?, Bool)])
    func terminals(_ kind: String?, _ canClearLines: Bool) {
        #expect(Terminal.canClearLines(kind) == canClearLines)
    }

    @Test(
        "Exit codes",
        arguments: [(1, 65), (4, 68), (11, 75), (12, 76), (13, 77), (14, 78), (16, 80), (17, 66), (4711, 66)])
    func exitCodes(_ code: Int, _ exit: Int32) {
        #expect(ExitStatus.failedCall(.init(rawValue: code)).rawValue == exit)
    }

    @Test("The progress line shows the count and the rate")
    func progressLine() {
        #expect(Progress.line(12_345_678, after: .seconds(2)) == "12,345,678 numbers, 6.2 million a second")
        #expect(Progress.line(7, after: .seconds(1)) == "7 numbers, 0.0 million a second")
    }
}
