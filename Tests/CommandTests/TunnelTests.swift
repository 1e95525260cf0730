import Foundation
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

/// sum-client behind HTTP proxies: scripted ones, tinyproxy and squid.
///
/// Most proxies' URLs have a user name and a password, and no output may have them.
@Suite(.timeLimit(.minutes(10))) struct TunnelTests {
    private static let login = "alice:s3%20cret"
    private static let secrets = ["alice", "s3", "cret", "YWxpY2U6czMgY3JldA=="]

    /// Runs sum-client with variables of the environment, and checks that nothing secret is printed.
    private static func client(
        _ arguments: [String], _ environment: [String: String] = [:], input: Tool.Input = .text(""),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Tool.Result {
        var arguments = arguments
        if !arguments.contains("--connect-timeout") {
            arguments += ["--connect-timeout", "\(Tool.limit)s"]
        }
        let variables = environment.map { "\($0)=\($1)" }
        let client = Tool.directory.appending(path: "sum-client").path
        let result = try await Tool.run("/usr/bin/env", variables + [client] + arguments, input: input)
        for secret in secrets {
            #expect(!(result.output + result.errors).contains(secret), sourceLocation: sourceLocation)
        }
        return result
    }

    /// Answers the request for a tunnel, and then is the server behind it.
    private static func serve(_ peer: WireSocket, settings: [UInt8] = WireFrame.settings().bytes) throws {
        try peer.send(bytes: settings)
        while let frame = try peer.receive(), !frame.endsStream {}
        try peer.send(
            .settingsAck, .headers(.response, on: 1), .data(.number(6), on: 1),
            .headers(.trailers(0), on: 1, endStream: true))
        _ = try peer.receiveAll()
    }

    // MARK: Which proxy

    @Test(
        "grpc-K20: the environment names the proxy, which gets the server's name, and the user's",
        arguments: ["grpc_proxy", "https_proxy", "HTTPS_PROXY"])
    func environment(_ variable: String) async throws {
        let heads = Heads()
        let proxy = try ScriptedServer { peer in
            heads.append(try peer.receiveHead())
            try peer.send(text: "HTTP/1.1 200 OK\r\n\r\n")
            try Self.serve(peer)
        }
        let result = try await Self.client(
            ["--target", "sum.invalid:7", "-v", "1", "2", "3"],
            [variable: "http://\(Self.login)@\(proxy.address)/", "no_proxy": "um.invalid, sum.invalid:8"])
        try await proxy.end()
        #expect(result.output == "6\n")
        let lines = result.errors.split(separator: "\n")
        #expect(
            lines.starts(with: [
                "sum-client: sum.invalid:7 is reached through proxy http://\(proxy.address) (from \(variable))",
                "sum-client: connected to sum.invalid:7",
            ]))
        let head = try #require(heads.all.first)
        #expect(
            head.hasPrefix("CONNECT sum.invalid:7 HTTP/1.1\r\nHost: sum.invalid:7\r\nUser-Agent: grpc-swift"))
        #expect(head.hasSuffix("\r\nProxy-Authorization: Basic YWxpY2U6czMgY3JldA==\r\n\r\n"))
    }

    /// 0.0.0.0 is this machine too, but no loopback address.
    private static func elsewhere(_ server: ServerProcess) -> String {
        server.address.replacing("127.0.0.1", with: "0.0.0.0")
    }

    @Test("grpc-K20: exceptions, --proxy none and addresses of this machine need no proxy")
    func direct() async throws {
        let server = try await ServerProcess()
        let elsewhere = Self.elsewhere(server)
        let proxy = ["https_proxy": "http://\(Self.login)", "http_proxy": "http://\(Self.login)"]
        for (target, options, environment, reason) in [
            (elsewhere, [], ["no_proxy": "a, 0.0.0.0/8"], "no_proxy lists '0.0.0.0/8'"),
            (elsewhere, ["--proxy", "none"], [:], "--proxy says so"),
            (server.address, [], [:], "https_proxy does not apply to this machine itself"),
        ] as [(String, [String], [String: String], String)] {
            let result = try await Self.client(
                ["--target", target, "-v", "1", "2"] + options, proxy.merging(environment) { $1 })
            #expect(result.output == "3\n")
            #expect(result.errors.hasPrefix("sum-client: \(target) is reached directly: \(reason)\n"))
        }
        let result = try await Self.client(
            ["--target", elsewhere, "-v", "1", "2"], ["http_proxy": "http://\(Self.login)"])
        #expect(result.output == "3\n")
        #expect(result.errors.hasPrefix("sum-client: connected to "), "nobody has mentioned a proxy")
    }

    @Test("An invalid proxy is wrong usage as an option, and UNAVAILABLE in the environment")
    func invalid() async throws {
        for words in [["--proxy", "http://\(Self.login)"], ["--proxy=\(Self.login)"]] {
            let result = try await Self.client(words + ["1"])
            #expect(
                result.errors
                    == "sum-client: the value of --proxy is invalid: its port is not a number from 1 to 65535; "
                    + "write it as http://[USER:PASSWORD@]HOST[:PORT] (see 'sum-client --help')\n")
            #expect(result.status == 64)
        }
        let result = try await Self.client(
            ["--target", "sum.invalid", "-v", "1"], ["grpc_proxy": "socks5://\(Self.login)@p"])
        let reason =
            "the proxy in the environment variable grpc_proxy is invalid: socks5:// is not supported, only http://; "
            + "write it as http://[USER:PASSWORD@]HOST[:PORT]"
        #expect(
            result.errors
                == "sum-client: \(reason)\nsum-client: UNAVAILABLE: cannot connect to sum.invalid: \(reason)\n"
        )
        #expect(result.status == 78)
    }

    // MARK: Answers

    @Test("grpc-K20: a tunnel stands, however the proxy says so", arguments: [0, 1, 2, 3])
    func odd(_ number: Int) async throws {
        let proxy = try ScriptedServer { peer in
            _ = try peer.receiveHead()
            let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".utf8)
            switch number {
            case 0: try Self.serve(peer, settings: answer + WireFrame.settings().bytes)
            case 1:
                try peer.sendSingly(answer + WireFrame.settings().bytes)
                try Self.serve(peer, settings: [])
            case 2:
                try peer.send(text: "HTTP/1.1 100 Continue\r\n\r\n")
                try Self.serve(peer, settings: answer + WireFrame.settings().bytes)
            default:
                try peer.send(text: "HTTP/1.0 299 Fine\nA: b\n\n")
                try Self.serve(peer)
            }
        }
        let result = try await Self.client(
            ["--proxy", "http://\(Self.login)@\(proxy.address)", "1", "2", "3"])
        #expect(result.output == "6\n", "\(result.errors)")
        #expect(result.errors.isEmpty)
        try await proxy.end()
    }

    @Test(
        "grpc-K20: a proxy that refuses, or is none, is one clear line",
        arguments: [
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n",
                "answered 407 Proxy Authentication Required to CONNECT sum.invalid:7 "
                    + "(it does not accept the user name and password in its URL)"
            ),
            ("HTTP/1.1 403 No\u{1b}[2J\r\n\r\n<html>", "answered 403 No\\u{1B}[2J to CONNECT sum.invalid:7"),
            (
                "HTTP/1.1 200 OK\r\n" + String(repeating: "a: b\r\n", count: 11_000),
                "answered with more than 16384 bytes of headers to CONNECT sum.invalid:7"
            ),
            ("\u{0}\u{0}\u{0}\u{4}", "does not answer in HTTP/1.1 to CONNECT sum.invalid:7"),
        ])
    func refusal(_ answer: String, _ words: String) async throws {
        let proxy = try ScriptedServer { peer in
            _ = try peer.receiveHead()
            try? peer.send(text: answer)
            while try !peer.receiveBytes().isEmpty {}
        }
        let url = "http://\(Self.login)@\(proxy.address)"
        for health in [[], ["--health"]] {
            let numbers = health.isEmpty ? ["1"] : []
            let result = try await Self.client(
                ["--target", "sum.invalid:7"] + health + numbers, ["https_proxy": url])
            #expect(
                result.errors
                    == "sum-client: UNAVAILABLE: cannot connect to sum.invalid:7: proxy http://\(proxy.address) "
                    + "\(words)\n")
            #expect(result.status == 78)
        }
        #expect(proxy.connections == 2, "it is not asked again")
        try await proxy.end()
    }

    @Test("grpc-K20: a proxy that closes or answers 5xx is asked again until --connect-timeout")
    func temporary() async throws {
        let proxy = try ScriptedServer { peer, number in
            _ = try peer.receiveHead()
            switch number {
            case 0: return
            case 1: try peer.send(text: "HTTP/1.1 503 Later\r\n\r\n")
            case 2: try peer.send(text: "HTTP/1.1 200 OK\r\n\r\n")
            default:
                try peer.send(text: "HTTP/1.1 200 OK\r\n\r\n")
                try Self.serve(peer)
            }
        }
        let url = "http://\(Self.login)@\(proxy.address)"
        let result = try await Self.client(["--proxy", url, "1", "2", "3"])
        #expect(result.output == "6\n", "\(result.errors)")
        #expect(proxy.connections == 4)
        try await proxy.end()
    }

    @Test("A silent proxy, and a silent server behind one, are told apart", arguments: [false, true])
    func silence(_ hasTunnel: Bool) async throws {
        let proxy = try ScriptedServer { peer in
            _ = try peer.receiveHead()
            if hasTunnel { try peer.send(text: "HTTP/1.1 200 OK\r\n\r\n") }
            while try !peer.receiveBytes().isEmpty {}
        }
        let result = try await Self.client(
            ["--target", "sum.invalid:7", "--connect-timeout", "3s", "1"],
            ["https_proxy": "\(Self.login)@\(proxy.address)"])
        let name = "proxy http://\(proxy.address)"
        let words =
            hasTunnel
            ? "through \(name): the server took the connection but said nothing"
            : "\(name) took the connection but did not answer CONNECT sum.invalid:7"
        #expect(result.errors == "sum-client: UNAVAILABLE: cannot connect to sum.invalid:7: \(words)\n")
        #expect(result.status == 78)
        try await proxy.end()
    }

    /// Lets a client try to connect, again and again, until it reports the problem.
    private static func expectProblem(
        _ problem: String, connectingTo target: String, through address: String
    ) async throws {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(600)
        configuration.proxy = .through(try HTTPProxy("http://\(login)@\(address)"))
        let client = GRPCClient(target: try Target(target), configuration: configuration)
        let dial = Task { try await client.connect() }
        let expected = "connecting to \(target): proxy http://\(address)\(problem)"
        while client.activity != expected { try await Task.sleep(for: .milliseconds(1)) }
        await client.close()
        await #expect(throws: GRPCStatus.self) { try await dial.value }
    }

    @Test(
        "A problem that may pass is known while the client tries again",
        arguments: [
            ("", " closed the connection before it answered CONNECT sum.invalid:7"),
            ("HTTP/1.1 200 OK\r\n", " closed the connection before it answered CONNECT sum.invalid:7"),
            ("HTTP/1.1 503 Later\r\n\r\n", " answered 503 Later to CONNECT sum.invalid:7"),
        ])
    func passing(_ answer: String, _ problem: String) async throws {
        let proxy = try ScriptedServer { peer in
            _ = try peer.receiveHead()
            try? peer.send(text: answer)
        }
        try await Self.expectProblem(problem, connectingTo: "sum.invalid:7", through: proxy.address)
        proxy.stopListening()
    }

    @Test("A proxy that cannot be reached is named with the reason")
    func unreachable() async throws {
        try await Self.expectProblem(
            ": Connection refused", connectingTo: "sum.invalid:7", through: "127.0.0.1:1")
        try await Self.expectProblem(
            ": the name 'no-proxy.invalid' cannot be resolved", connectingTo: "sum.invalid:7",
            through: "no-proxy.invalid:3128")
    }

    // MARK: Real proxies

    @Test(
        "grpc-K20: sums through tinyproxy and squid",
        .enabled(if: ForwardProxy.Kind.allCases.allSatisfy(\.isInstalled), "make test installs the proxies"),
        arguments: ForwardProxy.Kind.allCases)
    func real(_ kind: ForwardProxy.Kind) async throws {
        let server = try await ServerProcess()
        let proxy = try ForwardProxy(kind)
        let arguments = ["--target", server.address, "--proxy", "http://\(Self.login)@\(proxy.address)"]
        #expect(try await Self.client(arguments + ["1", "2", "-5"]).output == "-2\n")
        #expect(try await Self.client(arguments + ["--health"]).output == "SERVING\n")
        let text = String(repeating: "300\n", count: 1_000_000)
        #expect(try await Self.client(arguments, input: .text(text)).output == "300000000\n")
        let overflow = try await Self.client(arguments + ["2147483647", "1"])
        #expect(overflow.errors.hasPrefix("sum-client: OUT_OF_RANGE: the sum 2147483648 of 2 numbers"))

        #expect(await server.stop().status == 0)
        let status = kind == .squid ? "503 Service Unavailable" : "500 Unable to connect"
        try await Self.expectProblem(
            " answered \(status) to CONNECT \(server.address)", connectingTo: server.address,
            through: proxy.address)
    }

    @Test(
        "squid refuses a port", .enabled(if: ForwardProxy.Kind.squid.isInstalled, "make test installs squid"))
    func forbidden() async throws {
        let proxy = try ForwardProxy(.squid)
        let result = try await Self.client(
            ["--target", "127.0.0.1:9", "--proxy", "http://\(Self.login)@\(proxy.address)", "1"])
        #expect(
            result.errors
                == "sum-client: UNAVAILABLE: cannot connect to 127.0.0.1:9: proxy http://\(proxy.address) "
                + "answered 403 Forbidden to CONNECT 127.0.0.1:9\n")
    }

    @Test(
        "tinyproxy wants a user name and a password",
        .enabled(if: ForwardProxy.Kind.tinyproxy.isInstalled, "make test installs tinyproxy"))
    func authentication() async throws {
        let server = try await ServerProcess()
        let proxy = try ForwardProxy(.tinyproxy, user: "alice:s3cret")
        let refused =
            "sum-client: UNAVAILABLE: cannot connect to \(server.address): proxy http://\(proxy.address) "
            + "answered 407 Proxy Authentication Required to CONNECT \(server.address)"
        for (login, output, errors) in [
            ("alice:s3cret@", "3\n", ""),
            ("alice:s3%63ret@", "3\n", ""),
            ("", "", "\(refused) (its URL needs a user name and a password)\n"),
        ] {
            let result = try await Self.client(
                ["--target", server.address, "--proxy", "http://\(login)\(proxy.address)", "1", "2"])
            #expect(result.output == output)
            #expect(result.errors == errors)
        }
        let wrong = try await Self.client(
            ["--target", server.address, "--proxy", "http://alice:s3@\(proxy.address)", "1", "2"])
        #expect(wrong.output.isEmpty)
        #expect(wrong.errors.hasPrefix("sum-client: UNAVAILABLE: cannot connect to \(server.address): proxy"))
        #expect(wrong.errors.hasSuffix(" (it does not accept the user name and password in its URL)\n"))
    }

    @Test("--spread and --lb reach several servers through one proxy")
    func severalServers() async throws {
        let servers = [try await ServerProcess(), try await ServerProcess()]
        let proxy = try ScriptedServer { peer in
            let target = try peer.receiveHead().split(separator: " ")[1]
            try peer.send(text: "HTTP/1.1 200 OK\r\n\r\n")
            try peer.carry(to: String(target))
        }
        let targets = servers.flatMap { ["--target", $0.address] }
        let arguments = targets + ["--proxy", "http://\(Self.login)@\(proxy.address)"]
        let text = String(repeating: "300\n", count: 10_000)
        let spread = try await Self.client(
            arguments + ["--spread", "--chunk", "100", "--json"], input: .text(text))
        #expect(spread.output.hasPrefix("{\"sum\":3000000,\"numbers\":10000,"), "\(spread.errors)")
        for server in servers {
            #expect(spread.output.contains("{\"address\":\"\(server.address)\","))
        }
        #expect(try await Self.client(arguments + ["--lb", "round_robin", "1", "2"]).output == "3\n")
        try await proxy.end()
    }

    @Test(
        "grpcio and sum-client ask a proxy for the same tunnel, with the same credentials",
        .enabled(if: ForeignPeer.isBuilt, "make test builds the foreign peers"))
    func foreign() async throws {
        let server = try await ServerProcess()
        let heads = Heads()
        let proxy = try ScriptedServer { peer in
            heads.append(try peer.receiveHead())
            try peer.send(text: "HTTP/1.1 200 OK\r\n\r\n")
            try peer.carry(to: server.address)
        }
        let url = "http://\(Self.login)@\(proxy.address)"
        let foreign = try await ForeignPeer.run(
            "client.py", ["sum.invalid:7"], [1, 2, 3], environment: ["grpc_proxy": url])
        #expect(foreign == "6\n")
        let ours = try await Self.client(
            ["--target", "sum.invalid:7", "1", "2", "3"], ["grpc_proxy": url])
        #expect(ours.output == "6\n")
        try await proxy.end()
        let known = heads.all.map { head in
            head.split(separator: "\r\n").filter { !$0.hasPrefix("User-Agent:") }
                .map { $0.replacing("HTTP/1.0", with: "HTTP/1.1") }.sorted()
        }
        #expect(known.count == 2)
        #expect(known.first == known.last)
    }
}

/// The requests that a scripted proxy has received.
private final class Heads: Sendable {
    private let heads = Mutex<[String]>([])
    var all: [String] { heads.withLock { $0 } }
    func append(_ head: String) { heads.withLock { $0.append(head) } }
}
