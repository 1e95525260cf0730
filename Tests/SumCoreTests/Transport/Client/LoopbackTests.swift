import Logging
import NIOCore
import NIOPosix
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

/// The public server and client, with real sockets between them.
@Suite(.timeLimit(.minutes(10))) struct LoopbackTests {
    @Test("The tutorial's call")
    func tutorial() async throws {
        try await withClient { (client) async throws in
            let call = client.sumNumbers(.init(timeout: .seconds(600)))
            for number in 1...10 as ClosedRange<Int32> { try await call.send(number) }
            #expect(try await call.closeAndReceive() == 55)
        }
    }

    @Test("Batches and single numbers, far more than the pipe holds")
    func manyNumbers() async throws {
        try await withClient { (client) async throws in
            let call = client.sumNumbers()
            let batch = Array(repeating: [1, -1, 100_000, -100_000, .max, -.max] as [Int32], count: 5000)
                .flatMap { $0 }
            for _ in 0..<20 {
                try await call.send(contentsOf: batch)
                try await call.send(1)
            }
            #expect(try await call.closeAndReceive() == 20)
        }
    }

    @Test("abuse-L8: the kernel drops a client that acknowledges nothing; a Unix socket has no such limit")
    func userTimeout() async throws {
        let limits = AsyncStream<Int?>.makeStream()
        let logger = Logger(label: "test")
        let binder = ListenerFactory(
            logger: logger, log: ServerLog(logger: logger), userTimeout: .seconds(40), socketMode: nil
        ) { channel, _ in
            let limit = try? channel.syncOptions?.getOption(.tcpOption(.tcp_user_timeout))
            limits.continuation.yield(limit.map { Int($0) })
        }
        let path = "/tmp/sum-test-\(UInt32.random(in: 0 ... .max)).sock"
        let listeners = [
            try await binder.bind(ListenEndpoint(.host("127.0.0.1", port: 0))),
            try await binder.bind(ListenEndpoint(.unix(path: path))),
        ]
        var accepted = limits.stream.makeAsyncIterator()
        for (listener, limit) in zip(listeners, [40_000, nil]) {
            let address = try #require(listener.channel.localAddress)
            let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(to: address).get()
            #expect(await accepted.next() == .some(limit))
            try await client.close()
        }
        for listener in listeners { await listener.close() }
    }

    @Test("Many concurrent calls on one connection, more than the server allows at once")
    func concurrentCalls() async throws {
        try await withClient { (client) async throws in
            try await withThrowingTaskGroup { group in
                for first in 0..<300 as Range<Int32> {
                    group.addTask {
                        let call = client.sumNumbers()
                        try await call.send(contentsOf: Array(first..<first + 10))
                        #expect(try await call.closeAndReceive() == first * 10 + 45)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("Numbers leave as they are sent, not when the stream ends")
    func trickle() async throws {
        let (received, note) = AsyncStream<Int>.makeStream()
        let method = GRPCMethod(path: SumNumbers.path) { _ in
            let handler = NotingHandler()
            handler.onReceive = {
                note.yield($0.readableBytes)
                return ServerReply(consumed: $0.readableBytes)
            }
            return handler
        }
        try await withClient(of: [method]) { (client) async throws in
            let call = client.sumNumbers()
            var arrivals = received.makeAsyncIterator()
            for number in 1...5 as ClosedRange<Int32> {
                try await call.send(number)
                #expect(await arrivals.next() == 7)
            }
            call.cancel()
        }
    }

    @Test("grpc-K16: a sender waits for a server that does not consume, and stops when cancelled")
    func backpressure() async throws {
        let method = GRPCMethod(path: SumNumbers.path) { _ in
            let handler = NotingHandler()
            handler.onReceive = { _ in ServerReply() }
            return handler
        }
        try await withClient(of: [method]) { (client) async throws in
            let call = client.sumNumbers()
            let sent = Atomic(0)
            let sender = Task {
                let batch = Array(repeating: Int32(1), count: 10_000)
                while true {
                    try await call.send(contentsOf: batch)
                    sent.add(batch.count, ordering: .relaxed)
                }
            }
            // The window, the pipe and one batch are all that can leave the sender.
            let limit = (Int(HTTP2Configuration().streamWindow) + (2 << 20)) / 7
            while sent.load(ordering: .relaxed) < Int(HTTP2Configuration().streamWindow) / 7 {
                await Task.yield()
            }
            #expect(sent.load(ordering: .relaxed) <= limit)
            sender.cancel()
            let result = await sender.result
            #expect(throws: GRPCStatus.self) { try result.get() }
            #expect((await call.ended()).code == .cancelled)
        }
    }

    @Test("grpc-A5: an early error reaches a waiting sender, with the server's message")
    func earlyError() async throws {
        let refusal = GRPCStatus(code: .permissionDenied, message: "not you: 100 % sûr")
        let method = GRPCMethod(path: SumNumbers.path) { _ in
            let handler = NotingHandler()
            handler.onReceive = { _ in ServerReply(end: refusal) }
            return handler
        }
        try await withClient(of: [method]) { (client) async throws in
            let call = client.sumNumbers()
            let batch = Array(repeating: Int32(1), count: 10_000)
            await #expect(throws: refusal) { while true { try await call.send(contentsOf: batch) } }
            await #expect(throws: refusal) { try await call.closeAndReceive() }
            let next = client.sumNumbers()
            await #expect(throws: refusal) {
                try await next.send(1)
                _ = try await next.closeAndReceive()
            }
        }
    }

    @Test("grpc-A11, abuse-K8: a response without a sum, or with two, is an error", arguments: [0, 2])
    func cardinality(_ count: Int) async throws {
        let method = GRPCMethod(path: SumNumbers.path) { _ in
            let handler = NotingHandler()
            handler.onEnd = {
                var reply = ServerReply(end: .ok)
                for _ in 0..<count { reply.messages.writeMessage([8, 1]) }
                return reply
            }
            return handler
        }
        try await withClient(of: [method]) { (client) async throws in
            let error = await #expect(throws: GRPCStatus.self) {
                try await client.sumNumbers().closeAndReceive()
            }
            #expect(error?.code == .unimplemented)
        }
    }

    @Test(
        "grpc-K12, abuse-K13: an address that refuses is skipped",
        arguments: ["ipv4:127.0.0.1:1,127.0.0.1", "localhost"])
    func deadAddress(_ name: String) async throws {
        try await withServer { server, _ in
            let port = try #require(server.addresses.first?.port)
            let client = try await GRPCClient.connect(to: Target("\(name):\(port)"), timeout: .seconds(60))
            #expect(try await client.sumNumbers().closeAndReceive() == 0)
            await client.close()
        }
    }

    @Test("Numbers after the end are refused")
    func sendAfterClose() async throws {
        try await withServer { _, target in
            let client = try await GRPCClient.connect(to: target, timeout: .seconds(60))
            let call = client.sumNumbers()
            #expect(try await call.closeAndReceive() == 0)
            await #expect(throws: GRPCStatus.self) { try await call.send(1) }
            await client.close()
            let late = client.sumNumbers()
            let error = await #expect(throws: GRPCStatus.self) { try await late.closeAndReceive() }
            #expect(error?.code == .cancelled)
        }
    }

    @Test(
        "abuse-K10, abuse-K11, audit-P5: servers of other protocols",
        arguments: [
            (
                "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" as String?,
                "the server does not speak HTTP/2 in clear text: it began with 'HTTP/1.1 400 Bad Request"
            ),
            ("220 mail.example ESMTP\r\n", "it began with '220 mail.example ESMTP"),
            ("\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{46}", "the server speaks TLS: use --tls"),
            ("", "closed before the server had said anything"),
            (nil, "said nothing"),
        ])
    func notAServer(_ greeting: String?, _ reason: String) async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                guard let greeting else { return channel.eventLoop.makeSucceededVoidFuture() }
                channel.writeAndFlush(ByteBuffer(string: greeting)).whenComplete { _ in
                    channel.close(promise: nil)
                }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        var error: GRPCStatus?
        // On a busy machine a short time may be over before the connection is there.
        for timeout in [Duration.seconds(1), .seconds(5), .seconds(60)]
        where error?.message.contains(reason) != true {
            error = await #expect(throws: GRPCStatus.self) {
                _ = try await GRPCClient.connect(to: Target("127.0.0.1:\(port)"), timeout: timeout)
            }
            #expect(error?.code == .unavailable)
        }
        #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
        try await listener.close()
    }

    @Test(
        "grpc-K2, abuse-L7: a server stops while a connection is idle, and the next call finds its successor"
    )
    func restart() async throws {
        let server = try await GRPCServer.start(
            listeningOn: [.host(LoopbackNetwork().host(1), port: 0)], methods: [SumNumbers.method()])
        let address = try #require(server.addresses.first)
        let client = try await GRPCClient.connect(to: Target(address), timeout: .seconds(60))
        #expect(try await client.sumNumbers().closeAndReceive() == 0)
        #expect(await server.shutdown(within: .seconds(60)))
        let again = try await GRPCServer.start(
            listeningOn: [try ListenAddress(address.description)], methods: [SumNumbers.method()])
        #expect(try await client.sumNumbers().closeAndReceive() == 0)
        await client.close()
        await again.shutdown()
    }

    @Test("An address that cannot be listened on is an error, and leaves nothing listening")
    func listenError() async throws {
        try await withServer { server, _ in
            let taken = try ListenAddress(server.addresses[0].description)
            await #expect(throws: ListenError.self) {
                try await GRPCServer.start(listeningOn: [.host("127.0.0.1", port: 0), taken], methods: [])
            }
        }
    }
}
