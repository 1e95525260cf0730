import Foundation

/// A name with any addresses, which only the tools of a test can resolve: Debian's nss_wrapper gives them a hosts file.
final class HostName: Sendable {
    /// A name that no name server knows (RFC 6761).
    static let name = "sum.test"

    /// The library must be the first in a process, and so must be that of a sanitizer.
    static let isAvailable = !Scale.isSanitized && isInstalled

    private static let isInstalled: Bool = {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        return folders.contains {
            FileManager.default.fileExists(atPath: "/usr/lib/\($0)/libnss_wrapper.so")
        }
    }()

    private let path = Tool.temporaryPath()

    init(_ hosts: [String]) throws {
        let lines = hosts.map { "\($0) \(Self.name)\n" }
        try Data(lines.joined().utf8).write(to: URL(filePath: path))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Runs sum-client where the name has these addresses.
    func client(
        _ arguments: [String], connectTimeout: String = "\(Tool.limit)s", input: Tool.Input = .text("")
    ) async throws -> Tool.Result {
        let client = Tool.directory.appending(path: "sum-client").path
        let environment = ["LD_PRELOAD=libnss_wrapper.so", "NSS_WRAPPER_HOSTS=\(path)"]
        return try await Tool.run(
            "/usr/bin/env", environment + [client, "--connect-timeout", connectTimeout] + arguments,
            input: input)
    }
}
