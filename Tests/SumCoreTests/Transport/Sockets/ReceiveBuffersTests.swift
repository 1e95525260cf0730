import NIOCore
import NIOEmbedded
import Testing

@testable import SumCore

@Suite struct ReceiveBuffersTests {
    /// The reads of one connection, as a channel makes them.
    private struct Reads {
        var pool: NIOPooledRecvBufferAllocator

        init(_ buffers: ReceiveBuffers, _ loop: EmbeddedEventLoop) {
            pool = NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: buffers.allocator(on: loop))
        }

        /// Reads as many as `available` bytes.
        mutating func read(_ available: Int, of byte: UInt8 = 0) -> ByteBuffer {
            let (buffer, count) = pool.buffer(allocator: ByteBufferAllocator()) { buffer in
                let count = min(available, buffer.writableBytes)
                buffer.writeRepeatingByte(byte, count: count)
                return count
            }
            pool.record(actualReadBytes: count)
            return buffer
        }
    }

    @Test("A connection keeps a few bytes, and borrows as much as it reads")
    func sizes() {
        let buffers = ReceiveBuffers()
        var reads = Reads(buffers, EmbeddedEventLoop())
        var lengths: [Int] = []
        for available in [1 << 20, 1 << 20, 1 << 20, 1 << 20, 100, 100, 100] {
            let read = reads.read(available)
            lengths.append(read.storageCapacity)
            buffers.giveBack(read)
        }
        #expect(lengths == [256, 2048, 262_144, 262_144, 262_144, 2048, 2048])
        #expect(reads.pool.count == 1)
    }

    @Test("Connections share the memory of their reads")
    func shared() {
        let buffers = ReceiveBuffers()
        let loop = EmbeddedEventLoop()
        var connections = (0..<10).map { _ in Reads(buffers, loop) }
        var places: Set<UInt> = []
        for index in connections.indices { buffers.giveBack(connections[index].read(10)) }
        for index in connections.indices {
            let read = connections[index].read(10)
            _ = read.withUnsafeReadableBytes { places.insert(UInt(bitPattern: $0.baseAddress)) }
            buffers.giveBack(read)
        }
        #expect(places.count == 1)
    }

    @Test("What a handler keeps of a read stays as it is")
    func held() {
        let buffers = ReceiveBuffers()
        let loop = EmbeddedEventLoop()
        var connections = [Reads(buffers, loop), Reads(buffers, loop)]
        var kept: [ByteBuffer] = []
        for turn in 0..<6 {
            for index in connections.indices {
                let read = connections[index].read(4000, of: UInt8(turn * 2 + index))
                kept.append(read)
                buffers.giveBack(read)
            }
        }
        #expect(kept.map { Set($0.readableBytesView) } == (0..<12).map { [UInt8($0)] })
    }
}
