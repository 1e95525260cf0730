internal import CMalloc
internal import CNghttp2

/// The memory of one nghttp2 session: from the lists that the sessions of an event loop share, and back to them.
///
/// The last reference to a session may be that of a handler's task, which lets go of it on another thread. So the lists are
/// left alone once the session is ending, and its blocks are freed.
///
/// Sound because nghttp2 gets a pointer to this object, which lives longer than its session (see `HTTP2Session.deinit`), and
/// because it calls back on the session's thread, or while nobody else has the session.
///
/// For the property without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
@safe final class SessionBlocks {
    private let lists: BlockAllocator
    @safe @exclusivity(unchecked) private var isEnding = false

    init(_ lists: BlockAllocator) {
        self.lists = lists
    }

    /// The session is about to be freed.
    func end() {
        isEnding = true
    }

    /// Calls `body` with the functions that a session needs.
    func lend<Result>(_ body: (UnsafeMutablePointer<nghttp2_mem>) -> Result) -> Result {
        var functions = unsafe nghttp2_mem(
            mem_user_data: Unmanaged.passUnretained(self).toOpaque(),
            malloc: { size, user in unsafe SessionBlocks.with(user) { unsafe $0.lists.allocate(size) } },
            free: { block, user in
                guard let block = unsafe block else { return }
                unsafe SessionBlocks.with(user) { blocks in
                    unsafe blocks.isEnding ? CMalloc.free(block) : blocks.lists.free(block)
                }
            },
            calloc: { count, size, _ in unsafe CMalloc.calloc(count, size) },
            realloc: { block, size, _ in unsafe CMalloc.realloc(block, size) })
        return unsafe body(&functions)
    }

    private static func with<Result>(
        _ user: UnsafeMutableRawPointer?, _ body: (SessionBlocks) -> Result
    ) -> Result {
        unsafe Unmanaged<SessionBlocks>.fromOpaque(user.unsafelyUnwrapped)._withUnsafeGuaranteedRef(body)
    }
}
