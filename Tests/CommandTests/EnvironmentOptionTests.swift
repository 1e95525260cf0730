import ArgumentParser
import Foundation
import SumCore
import Testing

@testable import sum_client
@testable import sum_server

private typealias ServerVariable = sum_server.OptionVariable
private typealias ServerEnvironment = sum_server.EnvironmentOptions
private typealias ClientVariable = sum_client.OptionVariable

/// Options that the environment gives.
@Suite(.timeLimit(.minutes(10))) struct EnvironmentOptionTests {
    private static let onlyOnTheCommandLine: Set<String> = ["help", "version", "check", "print-config"]

    // MARK: The tables

    @Test("Every option of sum-server has a variable, and the table says of it what --help says")
    func serverTable() throws {
        var missing = Set(ServerVariable.ofServer.map(\.option))
        for argument in try OptionHelp.arguments(SumServerCommand._dumpHelp()) {
            let names = (argument.names ?? []).map(\.name).filter { $0.count > 1 }
            guard let name = names.first, Self.onlyOnTheCommandLine.isDisjoint(with: names) else { continue }
            let option = name.hasPrefix("no-") ? String(name.dropFirst(3)) : name
            let row = try #require(
                ServerVariable.ofServer.first { $0.option == option }, "\(name) has no variable")
            missing.remove(option)
            #expect((argument.kind == "option") == (row.kind == .value || row.kind == .list), "\(name)")
            #expect(argument.kind == "flag" || argument.isRepeating == (row.kind == .list), "\(name)")
            guard argument.kind == "option", !row.standard.isEmpty else { continue }
            let text = (argument.abstract ?? "") + " (default: \(argument.defaultValue ?? "?"))"
            #expect(text.contains("(default: \(row.standard))"), "\(name): \(text)")
        }
        #expect(missing == [])
    }

    @Test("The variables of sum-client are options of it, and have its defaults")
    func clientTable() throws {
        let arguments = try OptionHelp.arguments(ClientOptions._dumpHelp())
        for row in ClientVariable.ofClient {
            let argument = try #require(
                arguments.first { ($0.names ?? []).contains { $0.name == row.option } }, "\(row.option)")
            #expect((argument.kind == "flag") == (row.kind == .flag), "\(row.option)")
            #expect(argument.kind == "flag" || argument.isRepeating == (row.kind == .list), "\(row.option)")
            guard argument.kind == "option", !row.standard.isEmpty else { continue }
            let text = (argument.abstract ?? "") + " (default: \(argument.defaultValue ?? "?"))"
            #expect(text.contains("(default: \(row.standard))"), "\(row.option): \(text)")
        }
    }

    @Test("Both tools know the same variables, each has a name of its own, and the manuals explain them")
    func names() throws {
        let server = ServerVariable.ofServer.map(\.variable)
        let client = ServerVariable.ofClient.map(\.variable)
        #expect(client == ClientVariable.ofClient.map(\.variable))
        #expect(Set(server + client).count == server.count + client.count)
        #expect(server.allSatisfy { $0.hasPrefix("SUM_SERVER_") })
        #expect(!client.contains { $0.hasPrefix("SUM_SERVER_") })
        let page = try String(
            contentsOf: Repository.root.appending(path: "docs/man/sum-client.1"), encoding: .utf8)
        for name in client { #expect(page.contains(name), "sum-client(1) lacks \(name)") }
    }

    // MARK: Precedence

    @Test(
        "The command line goes before the environment, and the environment before defaults",
        arguments: [
            ([], [], []),
            ([], ["SUM_SERVER_PORT=7"], ["--port", "7"]),
            (["--port", "8"], ["SUM_SERVER_PORT=7"], ["--port", "8"]),
            (
                ["--port=8"], ["SUM_SERVER_PORT=7", "SUM_SERVER_OVERFLOW=wrap"],
                ["--overflow", "wrap", "--port=8"]
            ),
            ([], ["SUM_SERVER_PORT="], []),
            // A value that looks like an option is a value.
            (["--host", "--port"], ["SUM_SERVER_PORT=7"], ["--port", "7", "--host", "--port"]),
            // What makes no sense beside an option of the command line.
            (["--listen", ":1"], ["SUM_SERVER_PORT=7", "SUM_SERVER_HOST=h"], ["--listen", ":1"]),
            (["--port", "1"], ["SUM_SERVER_LISTEN=:7"], ["--port", "1"]),
            // Lists.
            ([], ["SUM_SERVER_LISTEN= :1  unix:/a\t"], ["--listen", ":1", "--listen", "unix:/a"]),
            (["--listen", ":2"], ["SUM_SERVER_LISTEN=:1"], ["--listen", ":2"]),
            // Flags.
            ([], ["SUM_SERVER_ACCESS_LOG=true", "SUM_SERVER_REQUIRE_BOTH=0"], ["--access-log"]),
            ([], ["SUM_SERVER_HEALTH=No", "SUM_SERVER_REFLECTION=on"], ["--no-health", "--reflection"]),
            (["--health"], ["SUM_SERVER_HEALTH=false"], ["--health"]),
            (["--no-health"], ["SUM_SERVER_HEALTH=true"], ["--no-health"]),
            // Questions are answered whatever the environment has.
            (["--help"], ["SUM_SERVER_HEALTH=perhaps"], ["--help"]),
        ] as [([String], [String], [String])])
    func precedence(_ words: [String], _ variables: [String], _ expected: [String]) throws {
        #expect(try Self.merged(words, variables).words == expected)
    }

    private static func merged(_ words: [String], _ variables: [String]) throws -> ServerEnvironment {
        try ServerEnvironment(
            words, ServerVariable.ofServer, others: ServerVariable.isKnownToClient,
            variables: variables.map { line in
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), String(parts[1]))
            })
    }

    @Test("Variables that no option has are noticed, but for those of the other tool")
    func unknown() throws {
        let merged = try Self.merged(
            [],
            ["SUM_SERVER_PROT=1", "SUM_TARGET=x", "SUM_TOKEN=secret", "SUM_TRAGET=y", "SUM_SERVER_PORT=1"])
        #expect(merged.unknown == ["SUM_SERVER_PROT", "SUM_TRAGET"])
    }

    @Test("An error says which of its options are from the environment")
    func explanation() throws {
        let merged = try Self.merged([], ["SUM_SERVER_TLS_KEY=k", "SUM_SERVER_PORT=99999"])
        #expect(
            merged.explaining("--tls-key requires --tls-cert")
                == "--tls-key requires --tls-cert (--tls-key is from SUM_SERVER_TLS_KEY)")
        #expect(merged.explaining("'--port <port>'").hasSuffix("(--port is from SUM_SERVER_PORT)"))
        #expect(merged.explaining("--tls-keyring") == "--tls-keyring")
    }

    // MARK: The programs

    private static func run(
        _ tool: String, _ variables: [String], _ words: [String] = []
    ) async throws -> Tool.Result {
        try await Tool.run("/usr/bin/env", variables + [Tool.directory.appending(path: tool).path] + words)
    }

    @Test("--print-config says what holds, and where it comes from")
    func printConfig() async throws {
        let result = try await Self.run(
            "sum-server", ["SUM_SERVER_MAX_CONNECTIONS=7", "SUM_SERVER_LISTEN=:1 unix:/a"],
            ["--print-config", "--overflow", "wrap"])
        #expect(result.status == 0, "\(result.errors)")
        let rows = result.output.split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        for row in [
            "--max-connections 7 (SUM_SERVER_MAX_CONNECTIONS)", "--listen :1 unix:/a (SUM_SERVER_LISTEN)",
            "--overflow wrap (command line)", "--drain-timeout 25s (default)", "--health true (default)",
        ] { #expect(rows.contains(row), "\(result.output)") }
        #expect(!result.output.contains("--port "), "it is replaced by --listen")
        #expect(rows.count == ServerVariable.ofServer.count - 2)
        let wrong = try await Self.run("sum-server", ["SUM_SERVER_PORT=x"], ["--print-config"])
        #expect(
            wrong.errors
                == "sum-server: The value 'x' is invalid for '--port <port>': it must be a number from 0 to 65535 (--port is from SUM_SERVER_PORT) (see 'sum-server --help')\n"
        )
        #expect(wrong.status == 64)
        let flag = try await Self.run("sum-server", ["SUM_SERVER_HEALTH=x"])
        #expect(
            flag.errors
                == "sum-server: the value 'x' of SUM_SERVER_HEALTH is invalid: it must be true or false\n")
        #expect(flag.status == 64)
    }

    @Test("Server and client need no command line, and warn of variables that no option has")
    func bothTools() async throws {
        let server = try await ServerProcess(
            "/usr/bin/env",
            [
                "SUM_SERVER_LISTEN=127.0.0.1:0", "SUM_SERVER_OVERFLOW=wrap", "SUM_SERVER_OVERFLWO=error",
                Tool.directory.appending(path: "sum-server").path,
            ])
        let call = try await Self.run(
            "sum-client", ["SUM_TARGET=\(server.address)", "SUM_TIMEOUT=\(Tool.limit)s", "SUM_TARGETS=x"],
            ["2147483647", "1"])
        #expect(call.output == "-2147483648\n")
        #expect(call.errors == "sum-client: warning: no option has the variable SUM_TARGETS\n")
        let (_, log) = await server.stop()
        #expect(log.contains("warning sum-server: name=SUM_SERVER_OVERFLWO"), "\(log)")
    }

    // MARK: --check

    @Test(
        "--check finds the server's command line in that of the first process",
        arguments: [
            ("/sum-server\0--port\01\0", ["--port", "1"]), ("sum-server\0", []),
            ("/sbin/docker-init\0--\0sum-server\0--host\0h\0", ["--host", "h"]),
            ("/bin/sh\0-c\0sleep 1\0", nil), ("", nil),
        ] as [(String, [String]?)])
    func firstProcess(_ line: String, _ words: [String]?) {
        #expect(SelfCheck.serverWords(in: Array(line.utf8)) == words)
    }

    @Test(
        "--check asks where clear text is spoken",
        arguments: [
            ([], "127.0.0.1:50051"), (["--port", "7"], "127.0.0.1:7"), (["--host", "::1"], "[::1]:50051"),
            (["--listen", "unix:/a", "--listen", ":1"], "unix:/a"),
            (["--listen", ":1", "--listen", "unix:/a", "--tls-cert", "c", "--tls-key", "k"], "unix:/a"),
            (["--port", "0"], nil), (["--tls-cert", "c", "--tls-key", "k"], nil),
            (["--listen", "systemd"], nil),
        ] as [([String], String?)])
    func checkTarget(_ words: [String], _ target: String?) throws {
        let command = try #require(try SumServerCommand.parseAsRoot(words) as? SumServerCommand)
        let found = try? SelfCheck.target(of: command.settings)
        #expect(found?.description == target)
    }

    @Test("--check tells a server that serves from one that does not")
    func check() async throws {
        let path = Tool.temporaryPath()
        for options in [[], ["--no-health"]] {
            let server = try await ServerProcess("sum-server", ["--listen", "unix:\(path)"] + options)
            let healthy = try await Tool.run("sum-server", ["--check", "--listen", "unix:\(path)"])
            #expect(healthy.output == "SERVING\n", "\(healthy.errors)")
            #expect(healthy.status == 0)
            let byEnvironment = try await Self.run(
                "sum-server", ["SUM_SERVER_LISTEN=unix:\(path)"], ["--check"])
            #expect(byEnvironment.status == 0, "\(byEnvironment.errors)")
            _ = await server.stop()
        }
        let gone = try await Tool.run("sum-server", ["--check", "--listen", "unix:\(path)"])
        #expect(gone.status == 1)
        #expect(gone.output.isEmpty)
        #expect(gone.errors.hasPrefix("sum-server: UNAVAILABLE: "), "\(gone.errors)")
    }

    @Test(
        "--version --verbose says what the program is linked with", arguments: ["sum-server", "sum-client"])
    func verboseVersion(_ tool: String) async throws {
        let result = try await Tool.run(tool, ["--version", "--verbose"])
        #expect(result.output.hasPrefix("\(tool) \(Version.current)"))
        #expect(result.output.contains("\nnghttp2 1."))
        #expect(result.output.contains("linked"))
        #expect(result.status == 0)
    }
}
