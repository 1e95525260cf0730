import NIOCore
import SwiftProtobuf
import Synchronization
import Testing

@testable import SumCore

/// Clients and servers of one process, without a socket between them.
@Suite(.timeLimit(.minutes(10))) struct InProcessTests {
    private typealias Number = Google_Protobuf_Int32Value

    private func with<Result>(
        _ methods: [GRPCMethod], configuration: GRPCServer.Configuration = .init(),
        client clientConfiguration: GRPCClient.Configuration = .patient, observers: [any ServerObserver] = [],
        _ body: (GRPCServer, GRPCClient) async throws -> Result
    ) async throws -> Result {
        let server = try await GRPCServer.start(
            listeningOn: [ListenAddress](), methods: methods, configuration: configuration,
            observers: observers)
        let client = GRPCClient(inProcess: server, configuration: clientConfiguration)
        do {
            let result = try await body(server, client)
            await client.close()
            await server.shutdown(within: .seconds(60))
            return result
        } catch {
            await client.close()
            await server.shutdown(within: .zero)
            throw error
        }
    }

    private let running = GRPCMethod.bidirectionalStreaming(path: "/t.T/Running") {
        (numbers: GRPCRequests<Number>, responses: GRPCResponses<Number>, call) in
        try call.setResponseMetadata(["from": call.context.peer.address])
        call.setTrailers(["agent": call.context.userAgent])
        var total: Int32 = 0
        for try await number in numbers {
            total &+= number.value
            try await responses.send(Number(total))
        }
    }

    @Test("Messages, metadata and trailers pass in both directions, and the server listens nowhere")
    func bidirectional() async throws {
        try await with([running]) { server, client in
            #expect(server.addresses.isEmpty)
            #expect(try await client.connect() == "in-process")
            let call: GRPCClientCall<Number, Number> = client.call("/t.T/Running")
            for number in 1...3 as ClosedRange<Int32> {
                try await call.send(Number(number))
                #expect(try await call.next()?.value == number * (number + 1) / 2)
            }
            call.finish()
            #expect(try await call.next() == nil)
            #expect(try await call.responseMetadata()["from"] == ["in-process"])
            let (status, trailers) = await call.ended()
            #expect(status == .ok)
            #expect(trailers["agent"].first?.isEmpty == false)
            #expect(await call.peer()?.address == "in-process")
            #expect(server.connectionCount == 1)
        }
    }

    @Test("A million numbers, from many calls at once, through windows and queues")
    func much() async throws {
        try await with([SumNumbers.method()]) { _, client in
            try await withThrowingTaskGroup(of: Int32.self) { group in
                for share in 0..<10 as Range<Int32> {
                    group.addTask {
                        let call = client.sumNumbers()
                        for _ in 0..<100 {
                            try await call.send(contentsOf: [Int32](repeating: share, count: 1000))
                        }
                        return try await call.closeAndReceive()
                    }
                }
                let total = try await group.reduce(0, +)
                #expect(total == 4_500_000)
            }
        }
    }

    @Test("A client that reads slowly holds up the server, and gets everything")
    func backpressure() async throws {
        let sent = Mutex(0)
        let flood = GRPCMethod.serverStreaming(path: "/t.T/Flood") {
            (count: Number, responses: GRPCResponses<Google_Protobuf_BytesValue>, _) in
            for _ in 0..<count.value {
                try await responses.send(.init(.init(repeating: 7, count: 256 << 10)))
                sent.withLock { $0 += 1 }
            }
        }
        try await with([flood]) { _, client in
            let call: GRPCClientCall<Number, Google_Protobuf_BytesValue> = client.call("/t.T/Flood")
            try await call.send(Number(40))
            call.finish()
            #expect(try await call.next()?.value.count == 256 << 10)
            // 10 MiB do not fit the window of the call and what the server keeps.
            #expect(sent.withLock { $0 } < 40)
            var count = 1
            while try await call.next() != nil { count += 1 }
            #expect(count == 40)
        }
    }

    @Test("A deadline, a cancellation, and an error of the handler end calls as they do over a socket")
    func ends() async throws {
        let (events, note) = AsyncStream.makeStream(of: String.self)
        let late = GRPCMethod.unary(path: "/t.T/Late") { (number: Number, _) in
            try await Task.sleep(for: .seconds(3600))
            return number
        }
        let forever = GRPCMethod.unary(path: "/t.T/Forever") { (number: Number, _) in
            note.yield("begun")
            return try await withTaskCancellationHandler {
                try await Task.sleep(for: .seconds(3600))
                return number
            } onCancel: {
                note.yield("cancelled")
            }
        }
        let failing = GRPCMethod.unary(path: "/t.T/Failing") { (number: Number, _) -> Number in
            throw GRPCStatus(code: .notFound, message: "none", details: [number])
        }
        try await with([late, forever, failing]) { _, client in
            var handled = events.makeAsyncIterator()
            let expired = await #expect(throws: GRPCStatus.self) {
                let _: Number = try await client.unary(
                    "/t.T/Late", Number(1), options: .init(timeout: .milliseconds(50)))
            }
            #expect(expired?.code == .deadlineExceeded)
            let call: GRPCClientCall<Number, Number> = client.call("/t.T/Forever")
            try await call.send(Number(1))
            call.finish()
            #expect(await handled.next() == "begun")
            call.cancel()
            #expect(await handled.next() == "cancelled")
            #expect(await call.ended().status.code == .cancelled)
            let failed = await #expect(throws: GRPCStatus.self) {
                let _: Number = try await client.unary("/t.T/Failing", Number(7))
            }
            #expect(failed?.code == .notFound)
            #expect(failed?.details() == [Number(7)])
            let missing = await #expect(throws: GRPCStatus.self) {
                let _: Number = try await client.unary("/t.T/Missing", Number(7))
            }
            #expect(missing?.code == .unimplemented)
        }
    }

    @Test("A server that shuts down lets open calls finish, and then takes no client")
    func shutdown() async throws {
        let server = try await GRPCServer.start(
            listeningOn: [ListenAddress](), methods: [SumNumbers.method()])
        let client = GRPCClient(inProcess: server, configuration: .patient)
        let call = client.sumNumbers()
        try await call.send(contentsOf: [1, 2])
        while await server.callCount() == 0 { await Task.yield() }
        async let ended = server.shutdown(within: .seconds(60))
        try await call.send(contentsOf: [3])
        #expect(try await call.closeAndReceive() == 6)
        #expect(await ended)
        let refused = await #expect(throws: GRPCStatus.self) { try await client.sum(of: [1]) }
        #expect(refused?.code == .unavailable)
        #expect(refused?.message.contains("the server takes no more connections") == true)
        await client.close()
    }

    @Test("A server that is cut off takes its calls with it")
    func cut() async throws {
        let server = try await GRPCServer.start(
            listeningOn: [ListenAddress](), methods: [SumNumbers.method()])
        let client = GRPCClient(inProcess: server, configuration: .patient)
        let call = client.sumNumbers()
        try await call.send(contentsOf: [1, 2])
        while await server.callCount() == 0 { await Task.yield() }
        #expect(await server.shutdown(within: .zero) == false)
        let failed = await #expect(throws: GRPCStatus.self) { try await call.closeAndReceive() }
        #expect(failed?.code == .unavailable)
        await client.close()
    }

    @Test("The connection is private: tokens are sent")
    func privacy() async throws {
        var limits = GRPCServer.Configuration()
        limits.authorize = CallAuthorizer(immediately: { context throws(GRPCStatus) in
            guard let token = context.bearerToken else { throw GRPCStatus(code: .unauthenticated) }
            return token
        })
        let who = GRPCMethod.unary(path: "/t.T/Who") { (_: Google_Protobuf_Empty, call) in
            Google_Protobuf_StringValue(call.context.peer.principal ?? "")
        }
        var configuration = GRPCClient.Configuration.patient
        configuration.credentials = CallCredentials(token: "blue")
        try await with([who], configuration: limits, client: configuration) { _, client in
            let name: Google_Protobuf_StringValue = try await client.unary(
                "/t.T/Who", Google_Protobuf_Empty())
            #expect(name.value == "blue")
        }
    }

    @Test("Two clients of one server are two connections, which end with their clients")
    func twoClients() async throws {
        try await with([SumNumbers.method()]) { server, client in
            let other = GRPCClient(inProcess: server, configuration: .patient)
            let sums = [try await client.sum(of: [1, 2]), try await other.sum(of: [3, 4])]
            #expect(sums == [3, 7])
            #expect(server.connectionCount == 2)
            await other.close()
            #expect(try await client.sum(of: [5]) == 5)
            while server.connectionCount > 1 { await Task.yield() }
        }
    }

    @Test("Whether a message came compressed is known on both sides")
    func compressed() async throws {
        let tell = GRPCMethod.bidirectionalStreaming(path: "/t.T/Tell") {
            (
                texts: GRPCRequests<Google_Protobuf_StringValue>,
                answers: GRPCResponses<Google_Protobuf_BoolValue>, call
            )
            in
            for try await _ in texts {
                let isCompressed = call.lastMessageWasCompressed
                try await answers.send(.init(isCompressed), compressed: isCompressed)
            }
        }
        let once = GRPCMethod.unary(path: "/t.T/Once") { (_: Google_Protobuf_StringValue, call) in
            Google_Protobuf_BoolValue(call.lastMessageWasCompressed)
        }
        try await with([tell, once]) { _, client in
            var options = GRPCCallOptions()
            options.compression = .gzip
            let call: GRPCClientCall<Google_Protobuf_StringValue, Google_Protobuf_BoolValue> = client.call(
                "/t.T/Tell", options: options)
            for isCompressed in [true, false, true, false] {
                try await call.send("text", compressed: isCompressed)
                #expect(try await call.next()?.value == isCompressed)
                #expect(call.lastMessageWasCompressed == isCompressed)
            }
            call.finish()
            #expect(try await call.next() == nil)
            for compression in [GRPCCompression.gzip, .identity] {
                options.compression = compression
                let answer: Google_Protobuf_BoolValue = try await client.unary(
                    "/t.T/Once", Google_Protobuf_StringValue("text"), options: options)
                #expect(answer.value == (compression == .gzip))
            }
        }
    }

    @Test("grpc-R10: invalid metadata is told to whoever sends it")
    func invalidMetadata() async throws {
        let bad = GRPCMethod.unary(path: "/t.T/Bad") { (place: Google_Protobuf_StringValue, call) in
            let metadata: GRPCMetadata = ["key": "line\nbreak"]
            if place.value == "trailers" {
                call.setTrailers(metadata)
            } else {
                try call.setResponseMetadata(metadata)
            }
            return place
        }
        final class Headers: ServerCallHandler {
            var outlivesStream: Bool { false }
            func receive(_ bytes: ByteBuffer) -> ServerReply { ServerReply(consumed: bytes.readableBytes) }
            func receiveEnd() -> ServerReply {
                var reply = ServerReply(end: .ok)
                reply.metadata = ["key": "line\nbreak"]
                return reply
            }
            func cancel(_ reason: GRPCStatus) {}
        }
        let headers = GRPCMethod(path: "/t.T/Headers") { _ in Headers() }
        let observer = NotingObserver()
        try await with([bad, headers], observers: [observer]) { _, client in
            let calls: [(String, String, GRPCMetadata)] = [
                ("/t.T/Bad", "trailers", [:]), ("/t.T/Bad", "headers", [:]), ("/t.T/Headers", "", [:]),
                ("/t.T/Bad", "", ["key": "line\nbreak"]),
            ]
            for (path, text, metadata) in calls {
                let failed = await #expect(throws: GRPCStatus.self) {
                    let _: Google_Protobuf_StringValue = try await client.unary(
                        path, Google_Protobuf_StringValue(text), options: .init(metadata: metadata))
                }
                #expect(failed?.code == .internalError)
                let reason = "the metadata cannot be sent: the value of 'key' is not printable ASCII"
                #expect(failed?.message == reason, "\(path) \(text)")
            }
        }
        // The server knows what the client has got. The last call was refused by the client itself.
        #expect(observer.endedCalls.map(\.status.code) == [.internalError, .internalError, .internalError])
    }
}
