import CNghttp2
import NIOCore
import Testing

@testable import SumCore

@Suite struct BlockAllocatorTests {
    @Test("Blocks of all sizes are whole, distinct, and used again")
    func blocks() {
        let allocator = BlockAllocator()
        SessionBlocks(allocator).lend { functions in
            let memory = functions.pointee
            var random = SeededRandom(seed: 7)
            var held: [(block: UnsafeMutableRawPointer, size: Int, mark: UInt8)] = []
            for step in 0..<20_000 {
                if held.count < 200, Bool.random(using: &random) {
                    let size = Int.random(in: 0...(step % 16 == 0 ? 40_000 : 700), using: &random)
                    guard let block = memory.malloc(size, memory.mem_user_data) else {
                        Issue.record("no memory")
                        return
                    }
                    let mark = UInt8(truncatingIfNeeded: step)
                    block.initializeMemory(as: UInt8.self, repeating: mark, count: size)
                    held.append((block, size, mark))
                } else if let index = held.indices.randomElement(using: &random) {
                    let (block, size, mark) = held.remove(at: index)
                    let bytes = UnsafeRawBufferPointer(start: block, count: size)
                    #expect(bytes.allSatisfy { $0 == mark })
                    memory.free(block, memory.mem_user_data)
                }
                #expect(allocator.bytesKept <= BlockAllocator.limit)
            }
            for (block, _, _) in held { memory.free(block, memory.mem_user_data) }
            memory.free(nil, memory.mem_user_data)
        }
    }

    @Test("A block that is free is used for the next one of its size", .enabled(if: BlockAllocator.limit > 0))
    func reuse() throws {
        let allocator = BlockAllocator()
        let blocks = SessionBlocks(allocator)
        let memory = blocks.lend { $0.pointee }
        let first = try #require(memory.malloc(100, memory.mem_user_data))
        memory.free(first, memory.mem_user_data)
        let kept = allocator.bytesKept
        #expect(kept >= 100)
        let second = try #require(memory.malloc(98, memory.mem_user_data))
        #expect(first == second && allocator.bytesKept == 0)
        let grown = try #require(memory.realloc(second, 5000, memory.mem_user_data))
        memory.free(grown, memory.mem_user_data)
        #expect(allocator.bytesKept == 0)
    }

    @Test(
        "A session gives blocks back while it lives, and none when it goes away, since that may be on another thread"
    )
    func sessions() async throws {
        let memory = SessionMemory()
        var server: HTTP2Session? = try HTTP2Session(role: .server, memory: memory)
        let client = try HTTP2Session(role: .client)
        _ = try client.submitRequest(Sample.request, body: FixedBody([1, 2, 3]))
        while try client.send(limit: 1 << 20) {}
        try server?.receive(client.allOutput())
        try server?.submitResponse(
            Sample.response, body: FixedBody([4], end: .finished(trailers: Sample.ok)), on: 1)
        while try server?.send(limit: 1 << 20) == true {}
        let kept = memory.blocks.bytesKept
        #expect(kept > 0 || BlockAllocator.limit == 0)
        server = nil
        #expect(memory.blocks.bytesKept == kept)
    }
}
