import NIOCore
import Testing

@testable import SumCore

@Suite struct EventQueueTests {
    @Test(
        "Events come out at both ends in the order in which they came in, as from an array", arguments: 0..<8)
    func order(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = EventQueue()
        var expected: [Int32] = []
        for number in 0..<Int32(3000) {
            switch Int.random(in: 0..<(seed % 2 == 0 ? 5 : 7), using: &random) {
            case 0, 1:
                let first = queue.popFirst()
                #expect(Self.number(of: first) == (expected.isEmpty ? nil : expected.removeFirst()))
            case 2:
                let last = queue.popLast()
                #expect(Self.number(of: last) == expected.popLast())
            default:
                queue.append(.data(streamID: number, bytes: ByteBuffer(bytes: [1])))
                expected.append(number)
            }
            let isEmpty = queue.isEmpty
            #expect(isEmpty == expected.isEmpty)
        }
        while let event = queue.popFirst() { #expect(Self.number(of: event) == expected.removeFirst()) }
        #expect(expected.isEmpty)
    }

    @Test("A queue that was long gives its storage back as soon as it is empty")
    func long() {
        var queue = EventQueue()
        for _ in 0..<3000 { queue.append(.ping) }
        let long = queue.capacity
        while queue.popFirst() != nil {}
        let empty = queue.capacity
        #expect(long >= 3000 && empty == 0)
        queue.append(.ping)
        let isEmpty = queue.isEmpty
        #expect(!isEmpty)
    }

    private static func number(of event: HTTP2Event?) -> Int32? {
        if case .data(let streamID, _)? = event { streamID } else { nil }
    }

    @Test("The memory of an event is held by a queue until it is taken, or the queue goes away")
    func release() {
        var buffer = ByteBufferAllocator().buffer(capacity: 64)
        buffer.writeInteger(UInt8(1))
        let isHeld = { (queue: consuming EventQueue) -> Bool in
            // A second reference makes a write move to other memory.
            let before = buffer.withUnsafeReadableBytes { $0.baseAddress }
            buffer.setInteger(UInt8(2), at: 0)
            let after = buffer.withUnsafeReadableBytes { $0.baseAddress }
            return before != after
        }
        var queue = EventQueue()
        queue.append(.data(streamID: 1, bytes: buffer))
        let heldByQueue = isHeld(queue)
        // The queue is gone now.
        let heldAfterwards = isHeld(EventQueue())
        #expect(heldByQueue && !heldAfterwards)
        queue = EventQueue()
        queue.append(.data(streamID: 1, bytes: buffer))
        _ = queue.popFirst()
        let heldAfterTaking = isHeld(queue)
        #expect(!heldAfterTaking)
    }

    @Test(
        "Sessions share the storage, which is lent to one that has none, and only taken back when it is empty"
    )
    func sharing() {
        let memory = SessionMemory()
        var queue = EventQueue()
        memory.lend(&queue)
        for _ in 0..<100 { queue.append(.ping) }
        memory.takeBack(&queue)
        let waiting = queue.isEmpty
        #expect(!waiting)
        while queue.popFirst() != nil {}
        memory.takeBack(&queue)
        var first = EventQueue()
        var second = EventQueue()
        memory.lend(&first)
        memory.lend(&second)
        let capacities = (queue.capacity, first.capacity, second.capacity)
        #expect(capacities.0 == 0 && capacities.1 >= 100 && capacities.2 == 0)
    }
}
