import Foundation
import ScriptedPeers
import Testing

/// A log that nobody reads, whatever it is written to.
@Suite(.timeLimit(.minutes(10))) struct StuckLogTests {
    private static let server = Tool.directory.appending(path: "sum-server").path

    /// An output that accepts no more bytes, and what keeps it that way.
    private final class Stuck {
        let handle: FileHandle
        private let descriptors: [Int32]

        init(_ kind: String) throws {
            var ends: [Int32] = [-1, -1]
            switch kind {
            case "socket":
                try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            case "terminal":
                ends[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY)
                // TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)): unlocks the other end, and tells its number.
                var (lock, number) = (Int32(0), UInt32(0))
                try #require(
                    ioctl(ends[0], 0x4004_5431, &lock) == 0 && ioctl(ends[0], 0x8004_5430, &number) == 0)
                ends[1] = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
            default:
                let path = Tool.temporaryPath()
                try #require(mkfifo(path, 0o600) == 0)
                ends[0] = open(path, O_RDWR)
                ends[1] = open(path, O_WRONLY)
                unlink(path)
            }
            try #require(ends[1] >= 0)
            let flags = fcntl(ends[1], F_GETFL)
            _ = fcntl(ends[1], F_SETFL, flags | O_NONBLOCK)
            for size in [4096, 1] {
                while write(ends[1], [UInt8](repeating: 0x2e, count: size), size) > 0 {}
            }
            _ = fcntl(ends[1], F_SETFL, flags)
            descriptors = ends
            handle = FileHandle(fileDescriptor: dup(ends[1]), closeOnDealloc: true)
        }

        deinit { for descriptor in descriptors { close(descriptor) } }
    }

    @Test(
        "audit-S4: a log that nobody reads blocks neither calls nor shutdown",
        arguments: ["socket", "terminal", "fifo"], [">&2", ">/dev/null"])
    func stuck(_ kind: String, _ output: String) async throws {
        let stuck = try Stuck(kind)
        let path = Tool.temporaryPath()
        let process = Tool.process(
            "/bin/sh", ["-c", "exec \(Self.server) --listen unix:\(path) --log-level trace \(output)"])
        process.standardError = stuck.handle
        try process.run()
        for _ in 0..<3 {
            let result = try await Tool.run(
                "sum-client", ["--target", "unix:\(path)", "--connect-timeout", "30s", "1"])
            #expect(result.output == "1\n")
        }
        Tool.send(SIGTERM, to: process)
        await Tool.offload { process.waitUntilExit() }
        #expect(process.terminationStatus == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(
        "audit-S4: an error at the start does not wait for the log either",
        arguments: ["socket", "terminal", "fifo"])
    func stuckAtStart(_ kind: String) async throws {
        let stuck = try Stuck(kind)
        for (option, status) in [("--port 99999", 64), ("--listen unix:/nonexistent/socket", 1)]
            as [(String, Int32)]
        {
            let process = Tool.process("/bin/sh", ["-c", "exec \(Self.server) \(option)"])
            process.standardError = stuck.handle
            try process.run()
            await Tool.offload { process.waitUntilExit() }
            #expect(process.terminationStatus == status)
        }
    }

    @Test("audit-S4: lost lines are counted in the next line that is written")
    func lost() async throws {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--log-level", "debug"])
        let address = server.address
        // Nobody reads the pipe yet.
        try await Tool.offload { Result { try Self.calls(1000, to: address) } }.get()
        // Now there is room for the next lines, however late the rest is read.
        let beginning = await server.logged(200 << 10)
        try await Tool.offload { Result { try Self.calls(50, to: address) } }.get()
        server.signal(SIGTERM)
        let (status, end) = await server.ended()
        #expect(status == 0)
        let log = beginning + end
        let lost = log.matches(of: /lines-lost-before=(\d+)/).compactMap { Int($0.1) }.reduce(0, +)
        #expect(lost > 0)
        let lines = log.split(separator: "\n").count
        // And one when the server stops.
        #expect(lines + lost == 1000 + 50 + 1)
        #expect(log.contains("stopping"))
    }

    /// Calls with long log lines.
    private static func calls(_ count: UInt32, to address: String) throws {
        let client = try WireSocket(connectingTo: address)
        try client.sayHello()
        let path = WireField(":path", "/" + String(repeating: "x", count: 250))
        for stream in (0..<count).map({ 2 * $0 + 1 }) {
            try client.send(.headers(.request.with(path), on: stream, endStream: true))
            try #require(try client.receiveAnswer(on: stream).status == "12")
        }
    }
}
