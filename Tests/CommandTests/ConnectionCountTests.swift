import Foundation
import ScriptedPeers
import Testing

/// As many connections as allowed, and more.
@Suite(.timeLimit(.minutes(10))) struct ConnectionCountTests {
    /// A server with a limit of so many file descriptors.
    private func server(descriptors: Int, _ options: String = "") async throws -> ServerProcess {
        let tool = Tool.directory.appending(path: "sum-server").path
        let command = "ulimit -n \(descriptors) && exec \"$0\" --listen 127.0.0.1:0 \(options)"
        return try await ServerProcess("/bin/sh", ["-c", command, tool])
    }

    @Test(
        "abuse-R16: connections beyond four fifths of the file descriptors are closed, and room is freed later"
    )
    func connectionLimit() async throws {
        let server = try await server(descriptors: 256)
        let before = try server.footprint()
        try await Tool.offload {
            Result {
                var clients: [WireSocket] = []
                while let client = try Self.served(by: server) { clients.append(client) }
                #expect(clients.count == 204)
                for _ in 0..<10 { #expect(try Self.served(by: server) == nil) }
                // Existing connections are served.
                try clients[0].callForSum()
            }
        }.get()
        try await untilServed(server)
        try await server.expectUnharmed(since: before)
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.matches(of: /too many connections/).count == 1)
    }

    @Test("abuse-R16: without free file descriptors the server waits quietly, and recovers")
    func noDescriptors() async throws {
        let server = try await server(descriptors: 64, "--max-connections 1000")
        let before = try server.footprint()
        let clients = try (0..<100).map { _ in try server.connect() }
        await server.waitFor("cannot accept connections")
        try await server.becomesQuiet()
        try clients[0].callForSum()
        for client in clients { client.endSending() }
        try await untilServed(server)
        try await server.expectUnharmed(since: before)
        #expect(await server.stop().status == 0)
    }

    /// Waits until the server has noticed that other clients are gone.
    private func untilServed(_ server: ServerProcess) async throws {
        try await Tool.offload {
            Result { while try Self.served(by: server) == nil {} }
        }.get()
    }

    /// A new client, unless the server closes its connection at once.
    private static func served(by server: ServerProcess) throws -> WireSocket? {
        let client = try WireSocket(connectingTo: server.address)
        // The connection may be closed before the preface.
        try? client.sayHello()
        return try client.receive(.settings) == nil ? nil : client
    }

    @Test(
        "abuse-R17: clients that connect and disconnect at once, or reset the connection",
        arguments: [false, true])
    func churn(_ resets: Bool) async throws {
        try await ServerProcess.attacked { server in
            for count in 0..<Scale.count(500, full: 50_000) {
                let client = try WireSocket(connectingTo: server.address)
                if resets { client.resetOnClose() }
                if count % 2 == 0 { try client.sayHello() }
            }
        }
    }

    /// HPACK: a field of 4 KB that is added to the table (RFC 7541 section 6.2.1), and then referenced with one byte
    /// each time (section 6.1).
    private static func bomb(_ length: Int) -> [UInt8] {
        let table = [0x40, 1, 0x78, 0x7f, 0xa1, 0x1e] + [UInt8](repeating: 0x61, count: 4000)
        return table + Array(repeating: 0xbe, count: length - table.count)
    }

    @Test(
        "abuse-R4: header blocks that decompress to 565 MB cost no memory, and under stress at most 10 ms of CPU"
    )
    func headerBombs() async throws {
        let frames =
            WireFrame(.headers, on: 1, payload: Self.bomb(64 << 10)).bytes
            + WireFrame(.continuation, on: 1, payload: Array(repeating: 0xbe, count: 64 << 10)).bytes
            + WireFrame(
                .continuation, flags: .endHeaders, on: 1, payload: Array(repeating: 0xbe, count: 19 << 10)
            )
            .bytes
        try await ServerProcess.attacked { server in
            let before = try server.footprint()
            for _ in 0..<20 {
                let client = try server.connect()
                try? client.send(bytes: frames)
                _ = try client.receiveAll()
            }
            let after = try server.footprint()
            #expect(after.memory - before.memory < 1 << 20)
            if Scale.isFull { #expect(after.time - before.time < .milliseconds(20 * 10)) }
        }
    }

    @Test("abuse-R4: the longest header blocks accepted, at the highest rate allowed, cost no memory")
    func shortBombs() async throws {
        let bytes = (0..<UInt32(300)).flatMap {
            WireFrame(.headers, flags: .endHeaders, on: 2 * $0 + 1, payload: Self.bomb(32 << 10)).bytes
        }
        try await ServerProcess.attacked { server in
            let client = try server.connect()
            _ = try client.receive(.settings)
            let before = try server.footprint()
            try? client.send(bytes: bytes)
            let frames = try client.receiveAll()
            #expect(frames.last { $0.kind == .goAway }?.debugText == "too_many_resets")
            let after = try server.footprint()
            #expect(after.memory - before.memory < 1 << 20)
            if Scale.isFull { #expect(after.time - before.time < .milliseconds(500)) }
        }
    }
}
