import Foundation

/// Clients and servers of other implementations of gRPC, which `make test` builds.
enum ForeignPeer {
    static let sums: [([Int], String)] = [
        ([], "0"), ([1, 2, 3], "6"), ([0, -1, 2_147_483_647, -2_147_483_648, 300, 70_000], "70298"),
        (Array(1...20_000), "200010000"),
    ]

    private static let built = Repository.root.appending(path: ".build/foreign")
    private static let scripts = Repository.root.appending(path: "Tests/CommandTests/Foreign")

    static let isBuilt = FileManager.default.fileExists(atPath: built.appending(path: "done").path)

    private static func command(_ name: String, _ arguments: [String]) -> (String, [String]) {
        guard name.hasSuffix(".py") else { return (built.appending(path: name).path, arguments) }
        let script = scripts.appending(path: name).path
        // Debian's Python, which has the packages.
        return (
            "/usr/bin/env",
            ["PYTHONPATH=\(built.path)/python", "PYTHONDONTWRITEBYTECODE=1", "/usr/bin/python3", script]
                + arguments
        )
    }

    static func run(
        _ name: String, _ arguments: [String], _ numbers: [Int], environment: [String: String] = [:]
    ) async throws -> String {
        let (program, words) = command(name, arguments)
        let variables = environment.map { "\($0)=\($1)" }
        return try await Tool.run(
            "/usr/bin/env", variables + [program] + words, input: .text(numbers.map { "\($0)\n" }.joined())
        ).output
    }

    static func server(_ name: String, _ arguments: [String] = []) async throws -> ServerProcess {
        let (program, words) = command(name, arguments)
        return try await ServerProcess(program, words)
    }
}
