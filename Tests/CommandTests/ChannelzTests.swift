import Foundation
import SumCore
import Testing

/// `sum-server --admin-listen`, read by grpcio-channelz.
@Suite(.timeLimit(.minutes(10)))
struct ChannelzTests {
    /// What `channelz.py` prints.
    private struct Counts {
        var calls: (started: Int, succeeded: Int, failed: Int)
        var streams: (started: Int, succeeded: Int, failed: Int)
        var messages: Int

        init?(_ text: String) {
            let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            guard numbers.count == 7 else { return nil }
            calls = (numbers[0], numbers[1], numbers[2])
            streams = (numbers[3], numbers[4], numbers[5])
            messages = numbers[6]
        }
    }

    private static func server(_ options: [String] = []) async throws -> (ServerProcess, admin: String) {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"] + options)
        let log = await server.waitFor("serving channelz for operators")
        let address = try #require(log.firstMatch(of: /address=(127\.0\.0\.1:[0-9]+)/)).1
        return (server, String(address))
    }

    private static func read(_ admin: String, times: Int, most: Int) async throws -> Counts {
        let output = try await ForeignPeer.run("channelz.py", [admin, "\(times)", "\(most)"], [])
        return try #require(Counts(output), "\(output)")
    }

    @Test(
        "Under load, calls that were started have succeeded, have failed, or are open; at rest, none is open",
        .enabled(if: ForeignPeer.isBuilt, "make test installs the foreign peers"))
    func load() async throws {
        let (server, admin) = try await Self.server()
        let series = CallSeries()
        let client = try series.client(of: server.address)
        try await series.run(with: client, tasks: 4) {
            try await series.wait(for: 1)
            _ = try await Self.read(admin, times: Scale.count(30, full: 1000), most: 4)
        }
        let answered = series.answers.values.reduce(0, +)
        #expect(series.failures == [])
        // A sum that does not fit fails; its stream ends with a status all the same.
        let failed = try await Tool.run("sum-client", ["--target", server.address, "2147483647", "1"])
        #expect(failed.status == 64 + 11)
        var counts = try await Self.read(admin, times: 1, most: 4)
        // What a client sees of its call may come before the server's record of it.
        while counts.calls.succeeded + counts.calls.failed < answered + 1 {
            counts = try await Self.read(admin, times: 1, most: 4)
        }
        #expect(counts.calls == (answered + 1, answered, 1))
        // Its connection is closed; the other is still open.
        #expect(counts.streams == (answered, answered, 0))
        #expect(counts.messages == 2 * answered)
        await client.close()
        #expect(await server.stop().status == 0)
    }

    @Test(
        "Numbers of an open call count, and its stream is open",
        .enabled(if: ForeignPeer.isBuilt, "make test installs the foreign peers"))
    func open() async throws {
        let (server, admin) = try await Self.server(["--log-level", "trace"])
        let call = try OpenCall(server.address)
        await server.waitForCall()
        var counts = try await Self.read(admin, times: 1, most: 1)
        while counts.messages < 1 { counts = try await Self.read(admin, times: 1, most: 1) }
        #expect(counts.calls == (1, 0, 0))
        #expect(counts.streams == (1, 0, 0))
        #expect(await call.finish(sending: "2").output == "42\n")
    }

    @Test("The services for operators are on their own address only, and it has no others")
    func apart() async throws {
        let (server, admin) = try await Self.server()
        #expect(try await Tool.run("sum-client", ["--target", admin, "1"]).status == 64 + 12)
        #expect(try await Tool.run("sum-client", ["--target", server.address, "1"]).output == "1\n")
        // Without an answer, the script prints nothing.
        #expect(try await ForeignPeer.run("channelz.py", [server.address, "1", "1"], []) == "")
    }

    @Test(
        "An address for operators that cannot be used is an error",
        arguments: [("nonsense", 64, "has no port"), ("unix:/nonexistent/x.sock", 1, "cannot listen on")])
    func badAddress(_ address: String, _ status: Int32, _ reason: String) async throws {
        let result = try await Tool.run(
            "sum-server", ["--listen", "127.0.0.1:0", "--admin-listen", address])
        #expect(result.status == status)
        #expect(result.errors.contains(reason), "\(result.errors)")
        #expect(result.output == "")
    }
}
