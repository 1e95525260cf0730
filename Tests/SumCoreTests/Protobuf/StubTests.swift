import OddStubs
import SumCore
import SwiftProtobuf
import Testing

/// Calls through generated code, from end to end.
@Suite(.timeLimit(.minutes(10))) struct StubTests {
    private func number(_ value: Int64) -> Stubs_V1_Number { .with { $0.value = value } }

    @Test("Calls of the four kinds, and of a batch-wise method")
    func fourKinds() async throws {
        try await withClient(of: FourKindsService().methods) { (client) async throws in
            let stub = Stubs_V1_FourKinds.Client(client)
            #expect(try await stub.double(number(21)).value == 42)

            let total = stub.total()
            for value in 1...10 as ClosedRange<Int64> { try await total.send(number(value)) }
            #expect(try await total.closeAndReceive().value == 55)

            var counted: [Int64] = []
            for try await response in try await stub.countTo(number(3)).responses {
                counted.append(response.value)
            }
            #expect(counted == [1, 2, 3])

            let running = stub.running()
            try await running.send(number(1))
            #expect(try await running.next()?.value == 1)
            try await running.send(number(2))
            #expect(try await running.next()?.value == 3)
            running.finish()
            #expect(try await running.next() == nil)

            let batch = stub.batchTotal()
            try await batch.send(contentsOf: (1...100_000).lazy.map { number($0) })
            #expect(try await batch.closeAndReceive().value == 5_000_050_000)
        }
    }

    @Test("A call with one message can be driven by hand, for its metadata")
    func byHand() async throws {
        try await withClient(of: FourKindsService().methods) { (client) async throws in
            let call = Stubs_V1_FourKinds.Client(client).double()
            try await call.send(number(4))
            #expect(try await call.closeAndReceive().value == 8)
            #expect(await call.ended().status == .ok)
        }
    }

    @Test("A status that a method throws is thrown by the client")
    func refused() async throws {
        try await withClient(of: FourKindsService().methods) { (client) async throws in
            await #expect(throws: GRPCStatus(code: .invalidArgument, message: "-1 is negative")) {
                try await Stubs_V1_FourKinds.Client(client).double(number(-1))
            }
        }
    }

    @Test("The methods have the paths and the order of the proto")
    func paths() {
        #expect(Stubs_V1_FourKinds.name == "stubs.v1.FourKinds")
        #expect(
            FourKindsService().methods.map(\.path)
                == ["Double", "Total", "CountTo", "Running", "BatchTotal"].map { name in
                    "/stubs.v1.FourKinds/\(name)"
                })
        #expect(DoubleService.Path.getURL_3 == "/Double/get_URL")
    }

    @Test("A call whose request cannot be encoded is cancelled")
    func cannotBeEncoded() async throws {
        try await withServer([]) { (_, target) async throws in
            let end = CallEnd()
            var configuration = GRPCClient.Configuration()
            configuration.connectTimeout = .seconds(60)
            configuration.observers = [end]
            let client = GRPCClient(target: target, configuration: configuration)
            // A field that proto2 requires is missing.
            let archive = Stubs_Old_InnerNames_Archive.Client(client)
            let error = await #expect(throws: GRPCStatus.self) { try await archive.look(.init()) }
            #expect(error?.code == .internalError)
            // Without the cancellation, the server would wait for the request, and this test for the end of the call.
            #expect(await end.code() == .cancelled)
            await client.close()
        }
    }
}

/// How the one call of a client has ended.
private final class CallEnd: ClientObserver {
    private let codes = AsyncStream<GRPCStatus.Code>.makeStream()

    func callEnded(_ call: ClientCallRecord) { codes.continuation.yield(call.status.code) }

    func code() async -> GRPCStatus.Code? {
        for await code in codes.stream { return code }
        return nil
    }
}
