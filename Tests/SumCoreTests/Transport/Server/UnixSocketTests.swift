import Foundation
import Testing

@testable import SumCore

/// Files of Unix domain sockets: what a server creates, and what it removes.
@Suite(.timeLimit(.minutes(10))) struct UnixSocketTests {
    /// A directory of its own, with a path for a socket in it.
    private final class Place {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "sum-\(UUID().uuidString.prefix(8))"
        ).path
        var path: String { "\(directory)/socket" }

        init() throws {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        var files: [String] {
            (try? FileManager.default.contentsOfDirectory(atPath: directory).sorted()) ?? []
        }

        func start(_ change: (inout GRPCServer.Configuration) -> Void = { _ in }) async throws -> GRPCServer {
            var configuration = GRPCServer.Configuration()
            change(&configuration)
            return try await GRPCServer.start(
                listeningOn: [.unix(path: path)], methods: [SumNumbers.method()], configuration: configuration
            )
        }

        func expectSum() async throws {
            let client = try await GRPCClient.connect(to: Target("unix:\(path)"), timeout: .seconds(60))
            #expect(try await client.sum(of: [1, 2, 3]) == 6)
            await client.close()
        }
    }

    /// A socket at a path that does not listen, or listens without accepting.
    private func bind(_ path: String, kind: __socket_type = SOCK_STREAM, backlog: Int32? = nil) throws
        -> Int32
    {
        let descriptor = socket(AF_UNIX, Int32(kind.rawValue), 0)
        #expect(withAddress(path) { Glibc.bind(descriptor, $0, $1) } == 0)
        if let backlog { #expect(listen(descriptor, backlog) == 0) }
        return descriptor
    }

    private func withAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    @Test("audit-S2: a server that stops leaves nothing behind, not even its lock")
    func tidy() async throws {
        let place = try Place()
        let server = try await place.start()
        try await place.expectSum()
        #expect(place.files == ["socket", "socket.lock"])
        await server.shutdown()
        #expect(place.files == [])
    }

    @Test(
        "audit-S2: another file at the socket's path stays",
        arguments: ["directory", "file", "socket"])
    func replaced(_ kind: String) async throws {
        let place = try Place()
        let server = try await place.start()
        try FileManager.default.removeItem(atPath: place.path)
        var other: Int32?
        switch kind {
        case "directory":
            try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: false)
            try Data("precious".utf8).write(to: URL(filePath: "\(place.path)/file"))
        case "file":
            try Data("precious".utf8).write(to: URL(filePath: place.path))
        default:
            other = try bind(place.path, backlog: 1)
        }
        await server.shutdown()
        #expect(place.files == ["socket"])
        if kind == "directory" {
            #expect(try String(contentsOfFile: "\(place.path)/file", encoding: .utf8) == "precious")
        }
        if kind == "file" { #expect(try String(contentsOfFile: place.path, encoding: .utf8) == "precious") }
        if let other {
            let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            #expect(withAddress(place.path) { connect(client, $0, $1) } == 0)
            close(client)
            close(other)
        }
    }

    @Test("audit-S2: a live server keeps its socket: a busy one, and one that uses datagrams")
    func alive() async throws {
        let full = try Place()
        let busy = try bind(full.path, backlog: 0)
        let waiting = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(withAddress(full.path) { connect(waiting, $0, $1) } == 0)
        let other = try Place()
        let datagrams = try bind(other.path, kind: SOCK_DGRAM)
        defer { for descriptor in [busy, waiting, datagrams] { close(descriptor) } }
        for place in [full, other] {
            let before = try FileManager.default.attributesOfItem(atPath: place.path)[.systemFileNumber]
            let error = await #expect(throws: ListenError.self) { try await place.start() }
            #expect(error?.reason == "Address already in use")
            let after = try FileManager.default.attributesOfItem(atPath: place.path)[.systemFileNumber]
            #expect(before as? Int == after as? Int)
            #expect(place.files == ["socket"])
        }
    }

    @Test("audit-S2: the socket of a server that was killed is replaced")
    func dead() async throws {
        let place = try Place()
        close(try bind(place.path, backlog: 1))
        try Data().write(to: URL(filePath: "\(place.path).lock"))
        let server = try await place.start()
        try await place.expectSum()
        await server.shutdown()
        #expect(place.files == [])
    }

    @Test("audit-S2: of many servers that start at once at a dead socket, one gets it and keeps it")
    func race() async throws {
        for _ in 0..<20 {
            let place = try Place()
            close(try bind(place.path, backlog: 1))
            let address = ListenAddress.unix(path: place.path)
            let servers = await withTaskGroup(of: GRPCServer?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try? await GRPCServer.start(
                            listeningOn: [address], methods: [SumNumbers.method()])
                    }
                }
                return await group.reduce(into: [GRPCServer]()) { if let server = $1 { $0.append(server) } }
            }
            #expect(servers.count == 1)
            try await place.expectSum()
            for server in servers { await server.shutdown() }
            #expect(place.files == [])
        }
    }

    @Test("audit-S2: a start that fails later leaves no socket behind")
    func failedStart() async throws {
        let place = try Place()
        await #expect(throws: ListenError.self) {
            try await GRPCServer.start(
                listeningOn: [.unix(path: place.path), .unix(path: "/nonexistent/socket")], methods: [])
        }
        #expect(place.files == [])
    }

    @Test("audit-S2: a file that happens to have the lock's name stays")
    func fileAtLock() async throws {
        let place = try Place()
        try Data("precious".utf8).write(to: URL(filePath: "\(place.path).lock"))
        let server = try await place.start()
        try await place.expectSum()
        await server.shutdown()
        #expect(place.files == ["socket.lock"])
        #expect(try String(contentsOfFile: "\(place.path).lock", encoding: .utf8) == "precious")
    }

    @Test("audit-S2: a symbolic link is not followed when removing")
    func link() async throws {
        let place = try Place()
        let target = try Place()
        close(try bind(target.path, backlog: 1))
        try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: target.path)
        let error = await #expect(throws: ListenError.self) { try await place.start() }
        #expect(error?.reason == "the file is not a socket")
        #expect(place.files == ["socket"])
        #expect(target.files == ["socket"])
    }

    @Test("audit-S2: the socket's mode", arguments: [0o600, 0o660, 0o777] as [UInt16])
    func mode(_ mode: UInt16) async throws {
        let place = try Place()
        let server = try await place.start { $0.unixSocketMode = mode }
        let attributes = try FileManager.default.attributesOfItem(atPath: place.path)
        #expect(attributes[.posixPermissions] as? Int == Int(mode))
        try await place.expectSum()
        await server.shutdown()
    }
}
