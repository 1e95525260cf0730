import CMalloc

enum Heap {
    /// Lets the process give back what a large message or many connections took. Left alone, glibc keeps up to twice
    /// the largest block that was ever freed, in each thread's part of the heap (mallopt(3), "M_MMAP_THRESHOLD").
    /// Buffers of sockets are smaller than these limits.
    static func setLimits() {
        _ = mallopt(M_MMAP_THRESHOLD, 1 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 2 << 20)
    }

    /// Gives back what is free between what is in use. Takes milliseconds, on another thread.
    @Sendable static func giveBack() {
        Task.detached(priority: .background) { malloc_trim(0) }
    }
}
