#if THREAD_SANITIZER
    internal import Glibc

    /// Takes the place of Synchronization's `Mutex` in every file of this module under `make tsan`.
    ///
    /// That one waits by futex, in a library that is not instrumented, so that ThreadSanitizer does not know what it
    /// orders, and would report all that it guards. It does know the lock of POSIX.
    ///
    /// Sound because the two pieces of memory are made in `init` and freed in `deinit`. Sendable although it holds
    /// pointers, since nobody else has them, the value is touched only under the lock, and it goes in and comes out as
    /// `sending`.
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
