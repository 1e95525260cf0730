import Foundation

/// An HTTP proxy from Debian's packages, running for the benefit of one test.
final class ForwardProxy: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case tinyproxy, squid

        var program: String { self == .squid ? "/usr/sbin/squid" : "/usr/bin/tinyproxy" }
        var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }
    }

    /// Such as `127.7.8.9:3128`. Both programs want to know their port, so they get the usual one of an address that
    /// nobody else uses.
    let address: String
    private let directory: URL
    private let process: Process

    /// - Parameter user: `USER:PASSWORD`, which clients must give; tinyproxy only.
    init(_ kind: Kind, user: String? = nil) throws {
        let host =
            "127.\(UInt8.random(in: 1...254)).\(UInt8.random(in: 1...254)).\(UInt8.random(in: 1...254))"
        address = "\(host):3128"
        directory = FileManager.default.temporaryDirectory.appending(
            path: "sum-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let file = directory.appending(path: "conf")
        switch kind {
        case .tinyproxy:
            let login = user.map { "BasicAuth \($0.replacing(":", with: " "))\n" } ?? ""
            try Data("Listen \(host)\nPort 3128\nTimeout 600\nMaxClients 20\n\(login)".utf8).write(to: file)
            process = Tool.process(kind.program, ["-d", "-c", file.path])
        case .squid:
            try Data(Self.squid(address).utf8).write(to: file)
            process = Tool.process(kind.program, ["-N", "-f", file.path])
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.currentDirectoryURL = directory
        try process.run()
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: directory)
    }

    /// It opens tunnels to every port but 9.
    private static func squid(_ address: String) -> String {
        """
        http_port \(address)
        acl discard port 9
        http_access deny discard
        http_access allow all
        pid_filename none
        cache_log /dev/null
        access_log none
        cache deny all
        cache_mem 8 MB
        netdb_filename none
        pinger_enable off
        shutdown_lifetime 0 seconds
        visible_hostname squid

        """
    }
}
