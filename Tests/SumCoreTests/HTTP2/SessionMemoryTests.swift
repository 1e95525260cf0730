import NIOCore
import Testing

@testable import SumCore

@Suite struct SessionMemoryTests {
    @Test("Sessions that share their memory do not disturb each other")
    func shared() throws {
        let memory = SessionMemory()
        let servers = try (0..<3).map { _ in try HTTP2Session(role: .server, memory: memory) }
        let clients = try (0..<3).map { _ in try HTTP2Session(role: .client) }
        // Outputs that wait while the others work.
        var waiting = [ByteBuffer](repeating: ByteBuffer(), count: 3)
        for (index, client) in clients.enumerated() {
            let body = FixedBody([UInt8(index)])
            _ = try client.submitRequest(Sample.request + [HTTP2Field("number", "\(index)")], body: body)
            while try client.send(limit: 1 << 20) {}
            try servers[index].receive(client.allOutput())
        }
        for (index, server) in servers.enumerated() {
            let events = server.takeEvents()
            #expect(events.body(of: 1) == [UInt8(index)])
            #expect(events.headers(of: 1).first?.last == HTTP2Field("number", "\(index)"))
            let response = Sample.response + [HTTP2Field("number", "\(index)")]
            try server.submitResponse(response, body: FixedBody([UInt8(index), 7]), on: 1)
            while try server.send(limit: 1 << 20) {}
            server.takeOutput { waiting[index].writeImmutableBuffer($0) }
            server.releaseMemory()
        }
        for (index, client) in clients.enumerated() {
            try client.receive(waiting[index])
            let events = client.takeEvents()
            #expect(events.headers(of: 1).first?.last == HTTP2Field("number", "\(index)"))
            #expect(events.body(of: 1) == [UInt8(index), 7])
            #expect(events.hasEnd(of: 1))
        }
    }

    @Test("A buffer that is still being written is not written over")
    func held() {
        let memory = SessionMemory()
        memory.giveBack(ByteBuffer(string: "the output of one connection"))
        var output = memory.takeOutput()
        #expect(output.readableBytes == 0)
        output.writeString("the output of one connection")
        let held = output
        memory.giveBack(output)
        var next = memory.takeOutput()
        next.writeString("something else that another one sends")
        #expect(String(buffer: held) == "the output of one connection")
    }

    @Test("Memory is used again, and the storage of long output is not kept")
    func kept() {
        let memory = SessionMemory()
        memory.giveBack(ByteBufferAllocator().buffer(capacity: 4096))
        let taken = memory.takeOutput()
        #expect(taken.capacity == 4096)
        #expect(memory.takeOutput().capacity == 0)
        memory.giveBack(ByteBufferAllocator().buffer(capacity: 1 << 20))
        #expect(memory.takeOutput().capacity == 0)
    }
}
