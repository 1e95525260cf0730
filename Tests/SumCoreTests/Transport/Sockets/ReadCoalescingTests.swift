import NIOCore
import Testing

@testable import SumCore

@Suite struct ReadCoalescingTests {
    private static let start = NIODeadline.now()

    /// Reads so many pieces, `gap` apart, and returns whether the next read is delayed.
    private func pauses(
        after count: Int, of byteCount: Int = 12, gap: TimeAmount = .microseconds(10),
        mereData: (Int) -> Bool = { _ in true }
    ) -> Bool {
        var pacing = ReadCoalescing()
        for index in 0..<count {
            pacing.read(byteCount, isMereData: mereData(index), at: Self.start + gap * index)
        }
        return pacing.isPausing
    }

    @Test("A rapid series of small reads delays the next read")
    func row() {
        #expect(pauses(after: 63) == false)
        #expect(pauses(after: 64))
    }

    @Test("Large or slow reads, calls that begin or end, and responses do not")
    func others() {
        #expect(pauses(after: 1000, of: 1024) == false)
        #expect(pauses(after: 640, gap: .milliseconds(1)) == false)
        #expect(pauses(after: 640, mereData: { $0 % 60 != 0 }) == false)
    }

    @Test(
        "The delay continues while it is worth while",
        arguments: [(64, true, true), (63, true, false), (2000, false, false)])
    func end(_ byteCount: Int, _ isMereData: Bool, _ goesOn: Bool) {
        var pacing = ReadCoalescing()
        for index in 0..<64 { pacing.read(12, isMereData: true, at: Self.start + .microseconds(10) * index) }
        pacing.read(byteCount, isMereData: isMereData, at: Self.start + .milliseconds(2))
        #expect(pacing.isPausing == goesOn)
    }
}
