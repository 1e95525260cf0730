internal import Glibc
internal import Synchronization

/// Unsigned numbers to which many threads add without waiting for each other.
///
/// There are several copies, called shards, each in cache lines of its own. A thread adds to the one that its identity
/// selects, so event loops rarely write to the same line. A reader adds the shards up.
///
/// The pointer is valid whenever it is used: the memory is allocated and initialized in `init` and freed in `deinit`, and
/// every index is checked. Threads may share the cells, although the compiler cannot check it, because nobody else has
/// the pointer, and between `init` and `deinit` the cells are only used atomically.
@safe final class ShardedCells: @unchecked Sendable {
    /// The numbers in each shard.
    let count: Int
    /// The distance between shards, in numbers.
    private let stride: Int
    private let shift: UInt
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>

    /// Processors fetch cache lines of 64 bytes in pairs.
    private static let alignment = 128
    private static let cellsPerLine = alignment / MemoryLayout<Atomic<UInt64>>.stride
    /// The shards, as a power of 2. More cost memory, and save little beyond the number of event loops.
    private static let shardBits = min(
        3, Int.bitWidth - (max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) - 1).leadingZeroBitCount)

    init(count: Int) {
        self.count = count
        stride = (count + Self.cellsPerLine - 1) / Self.cellsPerLine * Self.cellsPerLine
        shift = UInt(UInt.bitWidth - Self.shardBits)
        let total = stride << Self.shardBits
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: total * MemoryLayout<Atomic<UInt64>>.stride, alignment: Self.alignment)
        unsafe cells = memory.bindMemory(to: Atomic<UInt64>.self, capacity: total)
        for index in 0..<total { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe cells.deinitialize(count: stride << Self.shardBits)
        unsafe cells.deallocate()
    }

    /// The index of the calling thread's shard: the upper bits of a product, because threads' identities are addresses
    /// that differ in few bits (Knuth's multiplicative hash).
    @inline(__always) private var shard: Int {
        let hash = UInt(pthread_self()) &* 0x9E37_79B9_7F4A_7C15
        // A shift by all 64 bits gives 0.
        return Int(bitPattern: hash >> shift)
    }

    /// Adds to the number at `index`.
    @inline(__always) func add(_ amount: UInt64, at index: Int) {
        precondition(index >= 0 && index < count)
        unsafe cells[shard * stride + index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// Adds to the number at `index`, and carries to the one after it, so that the two hold 128 bits.
    @inline(__always) func addWide(_ amount: UInt64, at index: Int) {
        precondition(index >= 0 && index + 1 < count)
        let first = shard * stride + index
        let sum = unsafe cells[first].wrappingAdd(amount, ordering: .relaxed)
        if sum.newValue < sum.oldValue { unsafe cells[first + 1].wrappingAdd(1, ordering: .relaxed) }
    }

    /// The sum of the numbers at `index`.
    func total(at index: Int) -> UInt128 {
        precondition(index >= 0 && index < count)
        return (0..<(1 << Self.shardBits)).reduce(0) { sum, shard in
            sum + UInt128(unsafe cells[shard * stride + index].load(ordering: .relaxed))
        }
    }

    /// The sum of what was added with `addWide`.
    func wideTotal(at index: Int) -> UInt128 {
        total(at: index) &+ total(at: index + 1) << 64
    }

    /// Sets all numbers to 0.
    func reset() {
        for index in 0..<(stride << Self.shardBits) { unsafe cells[index].store(0, ordering: .relaxed) }
    }
}
