import ArgumentParser
import Foundation
import Testing

@testable import sum_client
@testable import sum_server

/// The commands in README and docs do what is written there. Transcripts (```console) are run and compared. Of other commands
/// of the tools, which need a network or a certificate, the options are checked; of `make`, the targets; of links, the files.
@Suite(.timeLimit(.minutes(10))) struct DocumentedCommandTests {
    private static let pages: [String] = {
        let docs = Repository.root.appending(path: "docs").path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: docs)) ?? []
        return ["README.md", "CONTRIBUTING.md", ".github/SECURITY.md", "docs/deploy/README.md"]
            + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    }()

    private static func lines(of page: String) throws -> [String] {
        try String(contentsOf: Repository.root.appending(path: page), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    // MARK: Transcripts

    private struct Step {
        var command: String
        var output: [String] = []
    }

    private static func transcripts(on page: String) throws -> [[Step]] {
        var found: [[Step]] = []
        var steps: [Step]?
        for line in try lines(of: page) {
            if line == "```console" {
                steps = []
            } else if line == "```", let done = steps {
                found.append(done)
                steps = nil
            } else if steps != nil {
                if line.hasPrefix("$ ") {
                    steps?.append(Step(command: String(line.dropFirst(2))))
                } else if let last = steps?.indices.last {
                    steps?[last].output.append(line)
                }
            }
        }
        return found
    }

    /// Types the commands into a shell. A Unix domain socket, given by the environment, stands for the port of the transcript,
    /// and a server is there for transcripts that start none.
    private static func run(_ steps: [Step]) async throws -> [[String]] {
        let directory = Tool.temporaryPath()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let startsServer = steps.contains { $0.command.hasSuffix("&") }
        var script = """
            exec 2>&1
            trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
            ready() { until grep -qs '^listening' out; do sleep 0.01; done; }
            \(startsServer ? "" : "sum-server >out 2>&1 & ready\n")
            """
        for step in steps {
            // `echo $?` is to see the status of the command before.
            script += "\nstatus=$?; echo '@@@'; (exit $status)\n"
            script +=
                step.command.hasSuffix("&")
                ? "\(step.command.dropLast()) >out 2>&1 & ready; cat out" : step.command
        }
        let result = try await Tool.run(
            "/usr/bin/env",
            [
                "-C", directory, "PATH=\(Tool.directory.path):/usr/bin:/bin",
                "SUM_SERVER_LISTEN=unix:\(directory)/s",
                "SUM_TARGET=unix:\(directory)/s", "/bin/bash", "-c", script,
            ])
        return result.output.replacing("unix:\(directory)/s", with: "[::]:50051").split(
            separator: "@@@\n", omittingEmptySubsequences: false
        )
        .dropFirst().map { $0.split(separator: "\n").map(String.init) }
    }

    @Test("Transcripts are true", arguments: pages)
    func transcripts(_ page: String) async throws {
        for steps in try Self.transcripts(on: page) {
            let outputs = try await Self.run(steps)
            try #require(outputs.count == steps.count, "\(page): \(outputs)")
            for (step, output) in zip(steps, outputs) {
                #expect(output == step.output, "\(page): \(step.command)")
            }
        }
    }

    @Test("There are transcripts")
    func count() throws {
        #expect(try Self.transcripts(on: "README.md").count == 1)
        #expect(try Self.pages.flatMap { try Self.transcripts(on: $0) }.count > 3)
    }

    // MARK: Other commands

    /// The words of a tool's command line; nil if the line has none, or is a pattern rather than a command.
    private static func words(_ tool: String, in line: String) -> [String]? {
        var words = line.split(separator: " ").map(String.init)[...]
        guard line.hasPrefix("    ") || line.hasPrefix("$ "), let start = words.firstIndex(of: tool),
            words[..<start].allSatisfy({ $0 != "docker" && $0 != "--entrypoint" && $0 != "#" }),
            line.allSatisfy({ !"[]<>\"'\\*".contains($0) })
        else { return nil }
        words = words[(start + 1)...].prefix { !["|", "&", "#", "&&"].contains($0) }
        return Array(words)
    }

    @Test("Commands have options that exist", arguments: pages)
    func options(_ page: String) throws {
        for line in try Self.lines(of: page) {
            if let words = Self.words("sum-server", in: line) {
                #expect(throws: Never.self, "\(page): \(line)") {
                    _ = try SumServerCommand.parseAsRoot(words)
                }
            }
            if let words = Self.words("sum-client", in: line), !words.contains("--version") {
                let options = Arguments(words).options
                #expect(throws: Never.self, "\(page): \(line)") { _ = try ClientOptions.parseAsRoot(options) }
            }
        }
    }

    @Test("make has the targets")
    func targets() throws {
        let makefile = try Self.lines(of: "Makefile")
        let targets = Set(
            makefile.filter { $0.contains("## ") }.compactMap { $0.split(separator: ":").first })
        #expect(targets.count > 10)
        for page in Self.pages {
            let text = try Self.lines(of: page).joined(separator: "\n")
            for match in text.matches(of: /(?:^|[`(]|    )make ([a-z][-a-z]*)/.anchorsMatchLineEndings()) {
                #expect(targets.contains(match.1), "\(page): make \(match.1)")
            }
        }
    }

    @Test("Links lead to files", arguments: pages)
    func links(_ page: String) throws {
        let folder = Repository.root.appending(path: page).deletingLastPathComponent()
        let text = try Self.lines(of: page).joined(separator: "\n")
        for match in text.matches(of: /\]\(([^)#: ]+)(?:#[^)]*)?\)/) {
            let path = folder.appending(path: String(match.1)).standardizedFileURL.path
            #expect(FileManager.default.fileExists(atPath: path), "\(page): \(match.1)")
        }
    }
}
