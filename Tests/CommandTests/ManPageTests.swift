import ArgumentParser
import Foundation
import Testing

@testable import sum_client
@testable import sum_server

/// The man pages, which are written by hand, know the options of the tools, and say of them what `--help` says.
@Suite struct ManPageTests {
    /// The names of each option on a page, as in `-f, --file`, and what it says of the option.
    private static func options(on page: String) -> [Set<String>: String] {
        var options: [Set<String>: String] = [:]
        var names: Set<String> = []
        let section = page.split(separator: ".Sh OPTIONS\n").last?.split(separator: "\n.Sh ").first ?? ""
        for line in section.split(separator: "\n") {
            if line.hasPrefix(".It ") {
                let forms = line.dropFirst(4).split(separator: " , ")
                names = Set(
                    forms.map { form in
                        let words = form.split(separator: " ")
                        return words.prefix { $0 == "Fl" }.map { _ in "-" }.joined()
                            + (words.first { $0 != "Fl" } ?? "")
                    })
            } else if !names.isEmpty, !line.hasPrefix(".") {
                options[names, default: ""] +=
                    " " + line.replacing("\\-", with: "-").replacing("\\&", with: "")
            }
        }
        return options
    }

    private static func check(_ page: String, against help: String) throws {
        let text = try String(
            contentsOf: Repository.root.appending(path: "docs/man/\(page)"), encoding: .utf8)
        let options = options(on: text)
        let arguments = try OptionHelp.arguments(help)
            .filter { $0.shouldDisplay && $0.kind != "positional" }
        var known: Set<Set<String>> = []
        for argument in arguments {
            let names = Set((argument.names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name })
            known.insert(names)
            let words = options[names] ?? ""
            #expect(words.contains(argument.abstract ?? ""), "\(page) on \(names.sorted()): \(words)")
            if let value = argument.defaultValue, argument.kind == "option" {
                #expect(words.contains("default: \(value)"), "\(page) on \(names.sorted()): \(words)")
            }
        }
        #expect(Set(options.keys) == known, "\(page)")
        #expect(known.count > 20)
    }

    @Test("sum-server(1) has every option of sum-server")
    func server() throws {
        try Self.check("sum-server.1", against: SumServerCommand._dumpHelp())
    }

    @Test("sum-client(1) has every option of sum-client")
    func client() throws {
        try Self.check("sum-client.1", against: ClientOptions._dumpHelp())
    }
}
