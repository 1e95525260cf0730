import Foundation
import Testing

/// Options of both tools: refused values with what would be valid, and the ends of ranges.
@Suite(.timeLimit(.minutes(10))) struct OptionTests {
    private static let aDuration = "a duration is a number with a unit, such as 500ms, 1.5s or 1h30m"

    @Test(
        "audit-C6: a refused value is reported with what would be valid",
        arguments: [
            ("sum-client", "--timeout", "<duration>", "5", aDuration),
            ("sum-client", "--timeout", "<duration>", "-1s", "a duration cannot be negative"),
            ("sum-client", "--timeout", "<duration>", "1000001h", "a duration is at most 1000000h"),
            ("sum-client", "--connect-timeout", "<duration>", "0s", "it must be at least 1ms"),
            ("sum-client", "--keepalive-time", "<duration>", "0s", "it must be at least 10s"),
            ("sum-client", "--keepalive-time", "<duration>", "9s", "it must be at least 10s"),
            ("sum-client", "--keepalive-timeout", "<duration>", "0s", "it must be at least 1ms"),
            ("sum-client", "--retry", "<n>", "256", "it must be a number from 0 to 255"),
            ("sum-client", "--retry", "<n>", "-1", "it must be a number from 0 to 255"),
            (
                "sum-client", "--target", "<target>", "unix://tmp/x",
                "the target 'unix://tmp/x' has two slashes: write unix:///tmp/x if the path is absolute, or unix:tmp/x"
            ),
            (
                "sum-server", "--listen", "<address>", "unix://tmp/x",
                "the address 'unix://tmp/x' has two slashes: write unix:///tmp/x if the path is absolute, or unix:tmp/x"
            ),
            ("sum-server", "--listen", "<address>", "localhost", "the address 'localhost' has no port"),
            ("sum-server", "--port", "<port>", "-1", "it must be a number from 0 to 65535"),
            ("sum-server", "--port", "<port>", "65536", "it must be a number from 0 to 65535"),
            ("sum-server", "--drain-timeout", "<duration>", "5", aDuration),
            ("sum-server", "--drain-timeout", "<duration>", "-1s", "a duration cannot be negative"),
        ])
    func refused(_ tool: String, _ option: String, _ kind: String, _ value: String, _ reason: String)
        async throws
    {
        let result = try await Tool.run(tool, [option, value] + (tool == "sum-client" ? ["1"] : []))
        #expect(
            result.errors
                == "\(tool): The value '\(value)' is invalid for '\(option) \(kind)': \(reason) (see '\(tool) --help')\n"
        )
        #expect(result.output.isEmpty)
        #expect(result.status == 64)
    }

    @Test(
        "audit-C6: both ends of a range are valid",
        arguments: [
            ["--timeout", "1h30m"], ["--timeout", "1000000h"], ["--connect-timeout", "1000000h"],
            ["--keepalive-time", "10s", "--keepalive-timeout", "597h"],
            ["--keepalive-time", "1000000h", "--keepalive-timeout", "1000000h"],
            ["--keepalive-time", "1h", "--keepalive-timeout", "1ms"],
            ["--retry", "0"], ["--retry", "255"], ["--user-agent", "-x"],
        ])
    func accepted(_ options: [String]) async throws {
        let server = try await ServerProcess()
        let result = try await Tool.run("sum-client", ["--target", server.address, "1", "2"] + options)
        #expect(result.output == "3\n", "\(result.errors)")
        #expect(result.status == 0)
    }

    @Test("audit-C6: the value of -f may be attached")
    func attached() async throws {
        let server = try await ServerProcess()
        let path = Tool.temporaryPath()
        try Data("2".utf8).write(to: URL(filePath: path))
        defer { unlink(path) }
        for words in [["-f\(path)"], ["-f", path], ["--file=\(path)"], ["-vf", path], ["-vf\(path)"]] {
            let result = try await Tool.run("sum-client", ["--target", server.address, "1"] + words)
            #expect(result.output == "3\n", "\(result.errors)")
        }
    }

    // MARK: Addresses

    @Test("audit-C3: a socket's path may have 107 bytes, and both tools parse it alike")
    func longPath() async throws {
        let start = Tool.temporaryPath() + "-"
        let path = start + String(repeating: "x", count: 107 - start.utf8.count)
        let server = try await ServerProcess("sum-server", ["--listen", "unix://\(path)"])
        #expect(server.address == "unix:\(path)")
        for target in ["unix:\(path)", "unix://\(path)"] {
            let result = try await Tool.run("sum-client", ["--target", target, "1", "2"])
            #expect(result.output == "3\n", "\(result.errors)")
        }
        #expect(await server.stop().status == 0)
        #expect(!FileManager.default.fileExists(atPath: path))

        let reason = "the path has 108 bytes, but a socket's path can have at most 107"
        let listening = try await Tool.run("sum-server", ["--listen", "unix:\(path)x"])
        #expect(listening.errors == "sum-server: cannot listen on unix:\(path)x: \(reason)\n")
        #expect(listening.status == 1)
        let dialling = try await Tool.run("sum-client", ["--target", "unix:\(path)x", "1"])
        #expect(dialling.errors == "sum-client: UNAVAILABLE: cannot connect to unix:\(path)x: \(reason)\n")
        #expect(dialling.status == 78)
    }

    @Test("audit-C3: both tools accept a path in the working directory")
    func relativePath() async throws {
        let directory = Tool.temporaryPath()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let tools = Tool.directory.path
        let server = try await ServerProcess(
            "/bin/sh", ["-c", "cd \(directory) && exec \(tools)/sum-server --listen unix:rel"])
        #expect(server.address == "unix:rel")
        let result = try await Tool.run(
            "/bin/sh", ["-c", "cd \(directory) && exec \(tools)/sum-client --target unix:rel 1"])
        #expect(result.output == "1\n")
    }

    @Test(
        "audit-C3: the server's host may be a shortened or bracketed address, and is printed as clients write it"
    )
    func hosts() async throws {
        var hosts = [("127.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0")]
        if FileManager.default.fileExists(atPath: "/proc/net/if_inet6") {
            hosts += [("[::1]", "[::1]"), ("::1", "[::1]"), ("*", "[::]"), ("::", "[::]")]
        }
        for (host, printed) in hosts {
            let server = try await ServerProcess("sum-server", ["--host", host, "--port", "0"])
            #expect(server.address.hasPrefix("\(printed):"))
            let result = try await Tool.run("sum-client", ["--target", server.address, "1"])
            #expect(result.output == "1\n", "\(result.errors)")
        }
    }

    @Test(
        "audit-C3: an invalid host is explained without type names",
        arguments: [
            (
                "", 64,
                "the host '' must be a name or an address, without a port (see 'sum-server --help')"
            ),
            (
                "h:1", 64,
                "the host 'h:1' must be a name or an address, without a port (see 'sum-server --help')"
            ),
            (
                "no-such-host.invalid", 1,
                "cannot listen on no-such-host.invalid:0: the name 'no-such-host.invalid' cannot be resolved"
            ),
        ])
    func badHosts(_ host: String, _ status: Int32, _ reason: String) async throws {
        let result = try await Tool.run("sum-server", ["--host", host, "--port", "0"])
        #expect(result.errors == "sum-server: \(reason)\n")
        #expect(result.status == status)
    }
}
