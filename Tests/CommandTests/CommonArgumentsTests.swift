import ArgumentParser
import Testing

@testable import sum_client
@testable import sum_server

/// What is read without ArgumentParser must mean what it means to ArgumentParser.
@Suite struct CommonArgumentsTests {
    /// Command lines made of words that belong together more often than not.
    private struct CommandLines {
        private var state: UInt64 = 20_261_126

        private mutating func below(_ bound: Int) -> Int {
            // Knuth's MMIX: a test needs the same lines every time.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }

        mutating func next(options: [String: [String]], anything: [String]) -> [String] {
            let names = options.keys.sorted()
            return (0..<below(5)).flatMap { _ in
                let name = names[below(names.count)]
                let values = options[name] ?? []
                let value = values.isEmpty ? [] : [values[below(values.count)]]
                return below(12) == 0 ? [anything[below(anything.count)]] : [name] + value
            }
        }
    }

    private static let anything = [
        "--", "-", "", "--help", "--version", "-h", "-vf", "-v", "--port=7", "--listen=:1", "--target=a:1",
        "--json=1",
        "--no-health", "--log-level", "debug", "--timeout", "-f", "--target", "--listen", "--port",
        "--overflow",
        "--tar", "x\u{0}y", "-vfx", "--retry", "2", "\u{FF5E}",
    ]

    @Test("sum-server reads common options as ArgumentParser does")
    func server() throws {
        let options = [
            "--port": ["0", "50051", "65535", "65536", "-1", "+5", "", "5a", " 5", "0x10", "٣"],
            "--listen": [
                "127.0.0.1:0", "[::1]:50051", "*:1", ":0", "unix:/tmp/s", "unix:relative", "localhost:1",
                "localhost",
                "", "a,b:1", "--port", "unix:\(String(repeating: "x", count: 200))", "127.0.0.1:99999",
            ],
            "--host": [
                "127.0.0.1", "::1", "[::1]", "localhost", "0.0.0.0", "*", "", "a b", "a:1", "--port", "-x",
                "unix:/s",
            ],
            "--overflow": ["error", "wrap", "Wrap", "", "none"],
            "--log-level": ["info", "debug"],
        ]
        var lines = CommandLines()
        var readCount = 0
        for _ in 0..<400 {
            let words = lines.next(options: options, anything: Self.anything)
            guard let settings = ServerSettings(commonArguments: words) else { continue }
            readCount += 1
            let parsed = try #require(
                try? SumServerCommand.parseAsRoot(words) as? SumServerCommand, "\(words) is refused")
            let expected = try parsed.settings
            #expect(String(reflecting: settings) == String(reflecting: expected), "\(words)")
        }
        #expect(readCount > 60)
    }

    @Test("sum-client reads common options as ArgumentParser does")
    func client() throws {
        let options = [
            "--target": [
                "localhost:50051", "127.0.0.1:0", "[::1]:1", "dns:///a:1", "unix:/tmp/s", "unix:", "", "a",
                "a:b", "-f",
                "ipv4:1.2.3.4:5", "ipv6:[::1]:5,[::2]:6", "127.0.0.1:99999", "x y:1",
            ],
            "--timeout": [
                "1s", "0s", "250ms", "1h30m", "-1s", "", "1", "1 s", "9999999999h", "1e3s", "1.5s",
            ],
            "-f": ["a", "-", "", "--json", "/dev/null", "-v"],
            "--json": [], "-v": [], "--verbose": [], "--file": ["a"],
            "--connect-timeout": ["1s", "0s", "1ms", "x", ""],
        ]
        var lines = CommandLines()
        var readCount = 0
        for _ in 0..<300 {
            let words = Arguments(lines.next(options: options, anything: Self.anything)).options
            guard let settings = ClientSettings(commonArguments: words) else { continue }
            readCount += 1
            let parsed = try #require(
                try? ClientOptions.parseAsRoot(words) as? ClientOptions, "\(words) is refused")
            #expect(String(reflecting: settings) == String(reflecting: parsed.settings), "\(words)")
        }
        #expect(readCount > 60)
    }

    @Test(
        "The command lines of the README need no ArgumentParser",
        arguments: [[], ["--port", "50051"], ["--listen", "127.0.0.1:0", "--listen", "unix:/run/sum.sock"]])
    func commonServerLines(_ words: [String]) {
        #expect(ServerSettings(commonArguments: words) != nil)
    }

    @Test(
        "The client's command lines of the README need no ArgumentParser",
        arguments: [
            ["1", "2", "3"], ["1", "-2", "3"], ["--timeout", "1s"], ["--target", "unix:/run/sum.sock", "1"],
            ["-f", "numbers.txt"], ["-v", "--json", "1"],
        ])
    func commonClientLines(_ words: [String]) {
        #expect(ClientSettings(commonArguments: Arguments(words).options) != nil)
    }
}
