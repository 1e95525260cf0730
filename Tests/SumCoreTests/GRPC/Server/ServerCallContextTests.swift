import NIOCore
import SwiftProtobuf
import Testing

import SumCore

/// What users can test without a server: public names only.
@Suite struct ServerCallContextTests {
    @Test("A handler is tested with a context that is made by hand")
    func handler() throws {
        let context = ServerCallContext(path: SumNumbers.path)
        let handler = try SumNumbers.method().makeHandler(context)
        // The numbers 1 and 2, each behind its prefix.
        let bytes: [UInt8] = [0, 0, 0, 0, 2, 0x08, 1, 0, 0, 0, 0, 2, 0x08, 2]
        #expect(handler.receive(ByteBuffer(bytes: bytes)).consumed == bytes.count)
        let reply = handler.receiveEnd()
        #expect(reply.end == .ok)
        #expect(Array(reply.messages.readableBytesView) == [0, 0, 0, 0, 2, 0x08, 3])
    }

    @Test("An interceptor is tested with a context that is made by hand")
    func interceptor() throws {
        struct TenantCheck: ServerInterceptor {
            func intercept(
                _ context: ServerCallContext,
                next: (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
            ) throws(GRPCStatus) -> any ServerCallHandler {
                guard context.metadata["x-tenant"] == ["blue"] else {
                    throw GRPCStatus(code: .permissionDenied)
                }
                return try next(context)
            }
        }
        let method = SumNumbers.method()
        let blue = ServerCallContext(path: method.path, metadata: ["x-tenant": "blue"])
        _ = try TenantCheck().intercept(blue, next: method.makeHandler)
        let green = ServerCallContext(path: method.path, metadata: ["x-tenant": "green"])
        #expect(throws: GRPCStatus(code: .permissionDenied)) {
            try TenantCheck().intercept(green, next: method.makeHandler)
        }
    }

    @Test("A context has what it was given")
    func values() {
        let context = ServerCallContext(
            path: "/a.B/C", metadata: ["k": "v"], timeout: .seconds(100), peer: Peer(address: "1.2.3.4:5"),
            maxMessageSize: 7, compression: .gzip, acceptedCompressions: [.gzip], authority: "sum",
            userAgent: "me")
        #expect(context.path == "/a.B/C")
        #expect(context.metadata["k"] == ["v"])
        #expect(context.timeout == .seconds(100))
        #expect(context.timeLeft.map { $0 > .zero && $0 <= .seconds(100) } == true)
        #expect(context.peer.networkAddress?.port == 5)
        #expect(context.maxMessageSize == 7)
        #expect(context.responseCompression == .gzip)
        #expect(!context.accepts(.deflate))
        #expect(context.authority == "sum")
        #expect(context.userAgent == "me")
        #expect(ServerCallContext(path: "/a.B/C").timeLeft == nil)
    }

    @Test("Handlers with async/await reply through the context")
    func asynchronous() async throws {
        let (replies, collector) = AsyncStream.makeStream(of: ServerReply.self)
        let context = ServerCallContext(path: "/a.B/C") { collector.yield($0) }
        let method = GRPCMethod.unary(path: "/a.B/C") { (number: Google_Protobuf_Int32Value, _) in number }
        let handler = try method.makeHandler(context)
        let bytes: [UInt8] = [0, 0, 0, 0, 2, 0x08, 5]
        _ = handler.receive(ByteBuffer(bytes: bytes))
        _ = handler.receiveEnd()
        var messages: [UInt8] = []
        for await reply in replies {
            messages += reply.messages.readableBytesView
            guard let end = reply.end else { continue }
            #expect(end == .ok)
            break
        }
        #expect(messages == bytes)
    }
}
