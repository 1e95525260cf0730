#if THREAD_SANITIZER
internal import Glibc

/// Replaces Synchronization's `Mutex` in every file of this module under `make tsan`.
///
/// The original waits on a futex in a library that is not instrumented, so ThreadSanitizer does not see the
/// ordering and reports races on everything it guards. It does understand POSIX mutexes.
///
/// The pointers are valid whenever they are used: both allocations are made in `init` and freed in `deinit`. Threads may
/// share a mutex, although the compiler cannot check it, because nobody else has the pointers, the value is accessed only
/// under the lock, and what goes into it or comes out is `sending`.
@safe struct Mutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let lock = unsafe UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let value = unsafe UnsafeMutablePointer<Value>.allocate(capacity: 1)

    init(_ initialValue: consuming sending Value) {
        unsafe lock.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(lock, nil)
        unsafe value.initialize(to: initialValue)
    }

    deinit {
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return try unsafe body(&value.pointee)
    }
}
#endif
