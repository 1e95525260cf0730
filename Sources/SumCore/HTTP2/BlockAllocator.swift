internal import CMalloc

/// Memory for the nghttp2 sessions of an event loop. Blocks that nghttp2 has freed are kept in lists by size, where its
/// next calls find them.
///
/// nghttp2 allocates eight blocks for each call on a server, and frees them. For a block, malloc(3) and free(3) take about
/// 150 instructions together, these lists half as many. All blocks come from malloc, so realloc(3) takes them too.
///
/// Sound because a list has only blocks that nghttp2 has freed, each with room for the address of the next one, and
/// because the sessions that use this do so from one thread at a time (see `SessionMemory`).
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
@safe final class BlockAllocator {
    private typealias Block = UnsafeMutableRawPointer

    /// List n has blocks of at least `capacity(n)` bytes.
    private let lists = UnsafeMutablePointer<Block?>.allocate(capacity: count)
    /// Bytes in the lists.
    @safe @exclusivity(unchecked) private(set) var bytesKept = 0

    private static let count = 32
    /// The largest sum of bytes to keep. Nothing is kept under the address sanitizer, so that it sees each use of a free block.
    #if ADDRESS_SANITIZER
    static let limit = 0
    #else
    static let limit = 64 << 10
    #endif

    init() {
        unsafe lists.initialize(repeating: nil, count: Self.count)
    }

    deinit {
        for index in 0..<Self.count {
            while let block = unsafe takeBlock(from: index) { unsafe CMalloc.free(block) }
        }
        unsafe lists.deallocate()
    }

    /// malloc(3) makes blocks of these sizes, in which it wastes nothing.
    private static func capacity(_ index: Int) -> Int { 16 * index + 24 }

    func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        let index = (max(size, Self.capacity(0)) - Self.capacity(0) + 15) >> 4
        guard index < Self.count else { return unsafe malloc(size) }
        return unsafe takeBlock(from: index) ?? malloc(Self.capacity(index))
    }

    func free(_ block: UnsafeMutableRawPointer) {
        let index = (unsafe malloc_usable_size(block) - Self.capacity(0)) >> 4
        guard index >= 0, index < Self.count, bytesKept + Self.capacity(index) <= Self.limit else {
            return unsafe CMalloc.free(block)
        }
        bytesKept += Self.capacity(index)
        unsafe block.storeBytes(of: lists[index], as: Block?.self)
        unsafe lists[index] = block
    }

    private func takeBlock(from index: Int) -> UnsafeMutableRawPointer? {
        guard let block = unsafe lists[index] else { return nil }
        bytesKept -= Self.capacity(index)
        unsafe lists[index] = block.load(as: Block?.self)
        return unsafe block
    }
}
