import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct CallMemoryTests {
    @Test("audit-M3: decompressed messages are bounded, but one is always allowed")
    func decompressed() {
        let memory = CallMemory()
        let limit = CallMemory.decompressedLimit
        #expect(memory.reserveDecompressed(8 * limit))
        #expect(!memory.reserveDecompressed(1))
        memory.releaseDecompressed(8 * limit)
        #expect(memory.reserveDecompressed(limit - 1))
        #expect(memory.reserveDecompressed(1))
        #expect(!memory.reserveDecompressed(1))
    }

    @Test("audit-M2: unread responses are bounded, but small ones do not wait for other calls")
    func unsent() {
        let memory = CallMemory()
        let (limit, small) = (CallMemory.unsentLimit, CallMemory.smallResponse)
        #expect(memory.reserveUnsent(4 * limit, own: 0))
        #expect(!memory.reserveUnsent(small + 1, own: 0))
        #expect(memory.reserveUnsent(small, own: 0))
        #expect(!memory.reserveUnsent(1, own: small))
        memory.releaseUnsent(4 * limit + small)
        #expect(memory.reserveUnsent(small, own: small))
    }

    @Test(
        "A waiting call continues when room is released or a call ends, also if that happened before the wait"
    )
    func waiting() async {
        let memory = CallMemory()
        for wake in [{ memory.releaseUnsent(1) }, { memory.releaseDecompressed(1) }, { memory.wakeAll() }] {
            let generation = memory.generation
            async let waiting: Void = memory.waitForChange(since: generation)
            wake()
            await waiting
            await memory.waitForChange(since: generation)
        }
    }
}
