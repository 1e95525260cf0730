import Foundation
import ScriptedPeers
import Synchronization
import Testing

/// What holds after every attack and every fault, whatever was sent (docs/reliability.md): the same process is alive,
/// a new client gets the right sum, memory and file descriptors are back, and at most one printable line was logged
/// for each offending connection.
extension ServerProcess {
    /// Runs an attack against a new server, and checks all of that.
    ///
    /// - Parameters:
    ///   - logged: must be in the log.
    ///   - attack: may have a line logged for each of its connections (`connect`). It is given the server, on a
    ///     thread of its own, where it may block. What it leaves open is closed when it returns.
    static func attacked<Answer: Sendable>(
        _ options: [String] = [], logged: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation,
        _ attack: @escaping @Sendable (ServerProcess) throws -> Answer
    ) async throws -> Answer {
        let server = try await ServerProcess("sum-server", ["--listen", "127.0.0.1:0"] + options)
        // Memory needed to serve any client does not count.
        try await server.serve(clients: 4)
        let before = try server.footprint()
        let result = await Tool.offload { Result { try attack(server) } }
        try await server.expectUnharmed(since: before, sourceLocation: sourceLocation)
        let (status, log) = await server.stop()
        #expect(status == 0, sourceLocation: sourceLocation)
        let lines = log.split(separator: "\n").filter { !$0.contains(" stopping") }
        let offences = server.connections.load(ordering: .relaxed)
        #expect(lines.count <= offences, "\(log)", sourceLocation: sourceLocation)
        #expect(lines.allSatisfy(isPrintable), "\(log)", sourceLocation: sourceLocation)
        #expect(logged.allSatisfy(log.contains), "\(log)", sourceLocation: sourceLocation)
        return try result.get()
    }

    /// Waits until memory and file descriptors are back to what they were, for at most two minutes.
    func expectUnharmed(since before: Footprint, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        try await serve(clients: 1)
        var now = try footprint()
        let clock = ContinuousClock()
        let limit = clock.now + .seconds(120)
        while !now.isBack(from: before), clock.now < limit {
            try await Task.sleep(for: .milliseconds(10))
            now = try footprint()
        }
        #expect(now.isBack(from: before), "\(before) became \(now)", sourceLocation: sourceLocation)
        #expect(now.id == before.id, sourceLocation: sourceLocation)
    }

    /// Returns when the server has used little CPU for half a second. A server that spins never does, and then the
    /// test's time limit ends the wait.
    func becomesQuiet() async throws {
        var before = try footprint().time
        while true {
            try await Task.sleep(for: .milliseconds(500))
            let now = try footprint().time
            if now - before < .milliseconds(25) { return }
            before = now
        }
    }

    /// Checks that new clients, one after the other, get right sums.
    private func serve(clients: Int) async throws {
        try await Tool.offload { Result { for _ in 0..<clients { try self.callForSum() } } }.get()
    }

    /// Blocks until a new client has got the right sum.
    func callForSum() throws {
        let client = try WireSocket(connectingTo: address)
        if speaksTLS { try client.secure() }
        try client.sayHello()
        try client.callForSum()
    }

    /// A client that has sent its preface.
    func connect(_ hello: [WireFrame] = [.settings(), .settingsAck]) throws -> WireSocket {
        let client = try connectSilently()
        if speaksTLS { try client.secure() }
        try client.send(bytes: WireFrame.preface + hello.flatMap(\.bytes))
        return client
    }

    /// A client that has sent nothing.
    func connectSilently(from source: String = "127.0.0.1") throws -> WireSocket {
        let client = try WireSocket(connectingTo: address, from: source)
        connections.add(1, ordering: .relaxed)
        return client
    }

    /// The resources of the server's process according to /proc; without memory and time under a sanitizer.
    struct Footprint: CustomStringConvertible, Sendable {
        var id: Int32
        /// Private bytes: heap and stacks.
        var memory: Int
        var descriptors: Int
        /// CPU time of all threads.
        var time: Duration

        /// Whether the file descriptors are the same, and memory is within 10 % + 4 MiB, because allocators keep
        /// some.
        func isBack(from before: Footprint) -> Bool {
            descriptors <= before.descriptors && memory <= before.memory + before.memory / 10 + 4 << 20
        }

        var description: String { "\(memory >> 10) KiB, \(descriptors) descriptors" }
    }

    func footprint() throws -> Footprint {
        let tool = try #require(Tool.child(of: id))
        let status = try String(contentsOfFile: "/proc/\(tool)/status", encoding: .utf8)
        let memory = try #require(status.firstMatch(of: /RssAnon:\s+(\d+) kB/).flatMap { Int($0.1) })
        // Without those of the event loops, and of libdispatch, which opens two when it first waits for something.
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(tool)/fd").count {
            let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(tool)/fd/\($0)")
            return file?.hasPrefix("anon_inode:") == false
        }
        // The first figure of each thread is its CPU time in nanoseconds.
        let times = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(tool)/task").compactMap {
            try? String(contentsOfFile: "/proc/\(tool)/task/\($0)/schedstat", encoding: .utf8)
        }.compactMap { $0.split(separator: " ").first.flatMap { Int64($0) } }
        guard !Scale.isSanitized else {
            return Footprint(id: tool, memory: 0, descriptors: descriptors, time: .zero)
        }
        return Footprint(
            id: tool, memory: memory << 10, descriptors: descriptors,
            time: .nanoseconds(times.reduce(0, +)))
    }

    private static func isPrintable(_ line: Substring) -> Bool {
        line.unicodeScalars.allSatisfy { (0x20...0x7e).contains($0.value) }
    }
}
