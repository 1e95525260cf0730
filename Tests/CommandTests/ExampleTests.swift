import Foundation
import Testing

/// Each program of `Examples`, with itself and with Python's grpcio at the other end.
@Suite(
    .enabled(if: ForeignPeer.isBuilt && !Scale.isSanitized, "make test builds the peers"),
    .timeLimit(.minutes(20)))
struct ExampleTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var name: String
        /// Arguments of our client after the address; FOLDER is one of the test's own.
        var arguments: [String] = []
        /// What our client prints when it calls our server, and when it calls grpcio.
        var own: String
        var foreign: String
        /// Arguments of grpcio's client after the address, and what it prints.
        var pythonArguments: [String] = []
        var python: String
        var serverArguments: [String] = []
        /// Standard input of our client.
        var input = ""

        var testDescription: String { name }
    }

    private static let examples = [
        Example(
            name: "hello", arguments: ["Ada"], own: "Hello, Ada!\n", foreign: "Hello from Python, Ada!\n",
            pythonArguments: ["Bob"],
            python: "Hello, Bob!\nINVALID_ARGUMENT a greeting needs a name\n"),
        Example(
            name: "route-guide",
            own: """
                at 0, 0: town hall
                at 1, 1: nothing to see at 1, 1
                in the centre: town hall
                in the centre: old bridge
                walked 700 m, and saw 2 of 3 points
                somebody left: nice

                """,
            foreign: """
                at 0, 0: hall
                at 1, 1: nothing there
                in the centre: corner -500
                in the centre: corner 500
                walked 700 m, and saw 1 of 3 points
                somebody left: before nice
                somebody left: before windy

                """,
            python: "old bridge\n['town hall', 'lighthouse']\n3 2 10.0\n['a', 'a', 'b']\n"),
        Example(
            name: "chat", arguments: ["ada"], own: "joined\n",
            foreign: "joined\npython: you said one\npython: you said two\n",
            python: "a hello\n[[], []]\n", input: "one\ntwo\n"),
        Example(
            name: "tls-echo", arguments: ["FOLDER", "TOKEN", "hi"], own: "alice said: hi\n",
            foreign: "python heard hi\n", pythonArguments: ["FOLDER"],
            python: "alice said: hi\nUNAUTHENTICATED\n", serverArguments: ["FOLDER"]),
        Example(
            name: "upload", arguments: ["FOLDER/file"], own: "uploaded 300000 bytes, hash HASH\n",
            foreign: "uploaded 300000 bytes, hash HASH\n", pythonArguments: ["FOLDER/file"],
            python: "300000 True\nINVALID_ARGUMENT\n"),
        Example(
            name: "batch", arguments: ["100000"],
            own: "100000 samples from 0 to 99999, sum 4999950000\n",
            foreign: "100000 samples from 0 to 99999, sum 4999950000\n",
            pythonArguments: ["1000"], python: "1000 494500 -5 994\n"),
    ]

    // Serialized, since the compiler and the linker need much memory.
    @Test("An example calls itself and grpcio, and is called by grpcio", .serialized, arguments: examples)
    func example(_ example: Example) async throws {
        try await withFolder { folder in
            let token = try await prepare(folder)
            func filled(_ words: [String]) -> [String] {
                words.map { $0.replacing("FOLDER", with: folder.path).replacing("TOKEN", with: token) }
            }
            let program = try await ExampleProgram(example.name, in: folder).path
            let server = try await ServerProcess(
                program, ["server"] + filled(example.serverArguments) + ["0"])
            let foreign = try await ForeignPeer.server(
                "examples.py", [ExampleProgram.folder.path, example.name, "serve", folder.path])
            for (address, expected) in [(server.address, example.own), (foreign.address, example.foreign)] {
                let result = try await Tool.run(
                    program, ["client", address] + filled(example.arguments), input: .text(example.input))
                let output = result.output.replacing(/hash [0-9a-f]+/, with: "hash HASH")
                #expect(output == expected, "\(result.errors)")
            }
            let output = try await ForeignPeer.run(
                "examples.py",
                [ExampleProgram.folder.path, example.name, "call", server.address]
                    + filled(example.pythonArguments), [])
            #expect(output == example.python)
        }
    }

    @Test("The tutorial's programs call each other and grpcio, and are called by grpcio")
    func tutorial() async throws {
        try await withFolder { folder in
            let server = try await ServerProcess(
                try await ExampleProgram(tutorial: "server", in: folder).path, ["0"])
            let client = try await ExampleProgram(tutorial: "client", in: folder).path
            let foreign = try await ForeignPeer.server(
                "examples.py", [ExampleProgram.folder.path, "tutorial", "serve"])
            for address in [server.address, foreign.address] {
                let port = String(address.split(separator: ":").last ?? "")
                let result = try await Tool.run(client, [port])
                #expect(result.output == "Sum: 55\n")
            }
            let port = server.address.split(separator: ":").last ?? ""
            let output = try await ForeignPeer.run(
                "examples.py",
                [ExampleProgram.folder.path, "tutorial", "call", "localhost:\(port)"], [])
            #expect(output == "55\nOUT_OF_RANGE the sum 2147483648 does not fit int32\n")
        }
    }

    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sum-example-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    /// Puts a file, certificates and a token into a folder.
    ///
    /// - Returns: the token.
    private func prepare(_ folder: URL) async throws -> String {
        try Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 8) })
            .write(to: folder.appending(path: "file"))
        let script = ExampleProgram.folder.appending(path: "tls-echo/make-credentials").path
        let made = try await Tool.run(script, [folder.path])
        try #require(made.status == 0, "\(made.errors)")
        return try String(contentsOf: folder.appending(path: "token"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
