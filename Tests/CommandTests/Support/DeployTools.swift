import Foundation

/// What `scripts/install-deploy-tools` installs.
enum DeployTools {
    static let folder = Repository.root.appending(path: ".build/deploy-tools")
    static let areInstalled = FileManager.default.fileExists(atPath: folder.appending(path: "done").path)

    /// Runs a script of `Tests/CommandTests/Foreign` with their Python packages.
    static func run(_ script: String, _ arguments: [String]) async throws -> Tool.Result {
        let path = Repository.root.appending(path: "Tests/CommandTests/Foreign/\(script)").path
        return try await Tool.run(
            "/usr/bin/env",
            ["PYTHONPATH=\(folder.path)", "PYTHONDONTWRITEBYTECODE=1", "/usr/bin/python3", path] + arguments)
    }
}
