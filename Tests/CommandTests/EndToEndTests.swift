import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct EndToEndTests {
    private func client(_ server: ServerProcess, _ arguments: [String], input: Tool.Input = .text(""))
        async throws -> Tool.Result
    {
        try await Tool.run("sum-client", ["--target", server.address] + arguments, input: input)
    }

    @Test(
        "Numbers as arguments",
        arguments: [
            (["1", "2", "3"], "6\n"), (["1", "-2", "3"], "2\n"),
            ((1...10).map(String.init) + ["--timeout", "600s"], "55\n"),
            (["+5", "0"], "5\n"), (["2147483647", "1", "-1"], "2147483647\n"),
            ((1...100_000).map { _ in "21474" }, "2147400000\n"),
        ])
    func arguments(_ words: [String], _ output: String) async throws {
        let server = try await ServerProcess()
        let result = try await client(server, words)
        #expect(result.output == output)
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
    }

    @Test("Numbers from a pipe, from files, and no numbers")
    func input() async throws {
        let server = try await ServerProcess()
        let text = (1...65535).map { "\($0)\n" }.joined()
        #expect(try await client(server, [], input: .text(text)).output == "2147450880\n")
        #expect(try await client(server, ["-", "1"], input: .text("2 3")).output == "6\n")
        #expect(try await client(server, [], input: .handle(.nullDevice)).output == "0\n")
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("1 2\n3".utf8).write(to: file)
        #expect(try await client(server, ["-f", file.path, "--file", file.path, "10"]).output == "22\n")
        #expect(
            try await client(server, [], input: .handle(FileHandle(forReadingFrom: file))).output == "6\n")
    }

    @Test("grpc-N2: a sum that does not fit int32 is an error with the exact sum, or wraps")
    func overflow() async throws {
        let text = (1...100_000).map { "\($0)\n" }.joined()
        let strict = try await ServerProcess()
        let result = try await client(strict, [], input: .text(text))
        #expect(result.output.isEmpty)
        #expect(
            result.errors
                == "sum-client: OUT_OF_RANGE: the sum 5000050000 of 100000 numbers does not fit int32\n")
        #expect(result.status == 75)
        let wrapping = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--overflow", "wrap"])
        #expect(try await client(wrapping, [], input: .text(text)).output == "705082704\n")
    }

    @Test(
        "Bad input gives one line with the reason, and an exit code",
        arguments: [
            (["1", "two", "3"], "", 2, "argument 4: not an int32: 'two'"),
            (["2147483648"], "", 2, "argument 3: not an int32: '2147483648'"),
            ([], "1 2 x", 2, "stdin:1:5: not an int32: 'x'"),
            ([], "1\n2\n  3 \u{1b}[2J 4", 2, "stdin:3:5: not an int32: '\\u{1B}[2J'"),
            ([], "1 2 2147483648\n", 2, "stdin:1:5: not an int32: '2147483648'"),
            (["--bogus"], "", 64, "Unknown option '--bogus' (see 'sum-client --help')"),
            (["-f", "/nonexistent/file"], "", 1, "/nonexistent/file: No such file or directory"),
            (["-f", "/"], "", 1, "/: Is a directory"),
            (
                ["--metadata", "novalue", "1"], "", 64,
                "metadata must be 'key: value', not 'novalue' (see 'sum-client --help')"
            ),
            (
                ["--metadata", "grpc-x: 1", "1"], "", 64,
                "the metadata key 'grpc-x' is reserved for gRPC or HTTP (see 'sum-client --help')"
            ),
            (["--timeout", "0s", "1"], "", 68, "DEADLINE_EXCEEDED: the deadline has passed"),
        ] as [([String], String, Int32, String)])
    func badInput(_ words: [String], _ input: String, _ status: Int32, _ line: String) async throws {
        let server = try await ServerProcess()
        let result = try await client(server, words, input: .text(input))
        #expect(result.output.isEmpty)
        #expect(result.errors == "sum-client: \(line)\n")
        #expect(result.status == status)
        #expect(try await client(server, ["1"]).output == "1\n")
    }

    @Test(
        "grpc-K10, abuse-K13: an unreachable server is reported at the connect timeout, or at once if retrying is useless",
        arguments: [
            (
                "unix:/nonexistent/socket",
                "cannot connect to unix:/nonexistent/socket: No such file or directory"
            ),
            ("127.0.0.1:1", "cannot connect to 127.0.0.1:1: Connection refused"),
            (
                "no-such-host.invalid:1",
                "cannot connect to no-such-host.invalid:1: the name 'no-such-host.invalid' cannot be resolved"
            ),
        ])
    func unreachable(_ target: String, _ line: String) async throws {
        let result = try await Tool.run(
            "sum-client", ["--target", target, "--connect-timeout", "3s", "1"])
        #expect(result.output.isEmpty)
        #expect(result.errors == "sum-client: UNAVAILABLE: \(line)\n")
        #expect(result.status == 78)
    }

    @Test("An invalid target is explained")
    func badTarget() async throws {
        let result = try await Tool.run("sum-client", ["--target", "h:x", "1"])
        #expect(result.errors.contains("the target 'h:x' is not HOST:PORT"))
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(result.status == 64)
    }

    @Test("Without numbers, and with a terminal as standard input, the client explains what to do")
    func terminal() async throws {
        let client = Tool.directory.appending(path: "sum-client").path
        let result = try await Tool.run("/usr/bin/script", ["-qec", client, "/dev/null"])
        #expect(result.output.contains("sum-client: no numbers"))
        #expect(result.status == 64)
    }

    @Test("abuse-L11: failing to write the output is an error")
    func fullOutput() async throws {
        let server = try await ServerProcess()
        let client = Tool.directory.appending(path: "sum-client").path
        let result = try await Tool.run(
            "/bin/sh", ["-c", "\(client) --target \(server.address) 1 2 > /dev/full"])
        #expect(result.errors == "sum-client: standard output: No space left on device\n")
        #expect(result.status == 1)
        let closed = try await Tool.run(
            "/bin/sh", ["-c", "\(client) --target \(server.address) 1 2 >&-"])
        #expect(closed.errors == "sum-client: standard output: Bad file descriptor\n")
        #expect(closed.status == 1)
    }

    @Test("JSON and verbose output")
    func reports() async throws {
        let server = try await ServerProcess()
        let result = try await client(server, ["--json", "-v", "1", "2", "--metadata", "k: v"])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(object["sum"] as? Int == 3)
        #expect(object["numbers"] as? Int == 2)
        #expect(object["seconds"] as? Double ?? -1 >= 0)
        #expect(result.errors.contains("connected to \(server.address)"))
    }

    @Test("grpc-S9: the limit on messages is an option")
    func messageLimit() async throws {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--max-message-size", "3"])
        #expect(try await client(server, ["200"]).output == "200\n")
        let result = try await client(server, Array(repeating: "20000", count: 100))
        #expect(
            result.errors
                == "sum-client: RESOURCE_EXHAUSTED: a message of 4 bytes is larger than the limit of 3\n")
        #expect(result.status == 72)
    }

    @Test("grpc-V1: --health prints the status, and exits with 0 only for SERVING")
    func health() async throws {
        let server = try await ServerProcess()
        for arguments in [["--health"], ["--health", "--service", "tutorial.NumberService"]] {
            let result = try await client(server, arguments)
            #expect(result.output == "SERVING\n")
            #expect(result.status == 0)
        }
        let unknown = try await client(server, ["--health", "--service", "x.Y"])
        #expect(unknown.output.isEmpty)
        #expect(unknown.errors == "sum-client: NOT_FOUND: there is no service 'x.Y' here\n")
        #expect(unknown.status == 69)
        let without = try await ServerProcess("sum-server", ["--listen", "127.0.0.1:0", "--no-health"])
        #expect(try await client(without, ["--health"]).status == 76)
    }

    @Test("Both tools print their version and their options", arguments: ["sum-server", "sum-client"])
    func help(_ name: String) async throws {
        let version = try await Tool.run(name, ["--version"])
        #expect(version.output.hasPrefix("\(name) 1.0.0"))
        let help = try await Tool.run(name, ["--help"])
        #expect(help.output.contains("EXIT STATUS"))
        #expect(help.status == 0)
    }
}
