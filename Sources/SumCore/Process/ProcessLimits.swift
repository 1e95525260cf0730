internal import Glibc
internal import NIOCore
internal import SystemPackage

/// Checks that the process may have enough threads and file descriptors. Without them, SwiftNIO and the Swift runtime
/// trap or wait for ever.
package enum ProcessLimits {
    /// A limit is too low.
    package struct TooLow: Error, CustomStringConvertible {
        package var description: String
    }

    /// Opens and starts as many as are needed, and closes and ends them again.
    ///
    /// Call this first in a program, while the main thread is the only one. An `async` main function is too late.
    ///
    /// - Parameters:
    ///   - threadsPerCore: threads per core in addition to one event loop.
    ///   - moreLoops: event loops in addition to one per core.
    ///   - descriptors: file descriptors in addition to those of the event loops.
    /// - Throws: `TooLow` with the count needed and the count possible.
    package static func check(
        threadsPerCore: Int, moreLoops: Int = 0, descriptors: Int
    ) throws(TooLow) {
        let loops = NIOSingletons.groupLoopCountSuggestion
        // An event loop has three: epoll, an eventfd and a timerfd.
        try checkDescriptors(3 * (loops + moreLoops) + descriptors)
        // Four for Dispatch, which starts only a few threads here.
        try checkThreads(loops * (1 + threadsPerCore) + moreLoops + 4)
    }

    private static func checkDescriptors(_ count: Int) throws(TooLow) {
        var opened: [SystemPackage.FileDescriptor] = []
        defer { for descriptor in opened { try? descriptor.close() } }
        do {
            while opened.count < count {
                opened.append(try SystemPackage.FileDescriptor.standardError.duplicate())
            }
        } catch {
            throw TooLow(
                description:
                    "\(count) files and sockets are needed, but only \(opened.count) can be opened: \(error) "
                    + "(see 'ulimit -n')")
        }
    }

    private static func checkThreads(_ count: Int) throws(TooLow) {
        // Sound because all threads are joined before the lock is freed.
        let gate = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        unsafe pthread_mutex_init(gate, nil)
        unsafe pthread_mutex_lock(gate)
        var threads: [pthread_t] = []
        var failure: Int32 = 0
        while failure == 0, threads.count < count {
            var thread = pthread_t()
            failure = unsafe pthread_create(&thread, nil, waitAtGate, gate)
            if failure == 0 { threads.append(thread) }
        }
        unsafe pthread_mutex_unlock(gate)
        for thread in threads { pthread_join(thread, nil) }
        unsafe pthread_mutex_destroy(gate)
        unsafe gate.deallocate()
        guard failure == 0 else {
            throw TooLow(
                description: "\(count) threads are needed, but only \(threads.count) can be started: "
                    + "\(Errno(rawValue: failure)) (see 'ulimit -u', or the task limit of the service or container)"
            )
        }
        waitUntilAlone()
    }

    /// Waits until the joined threads are gone. The kernel counts a thread for a moment after it was joined.
    private static func waitUntilAlone() {
        for _ in 0..<1000 {
            // The link count is that of `.` and `..` plus one per thread (proc_task_getattr in Linux' fs/proc/base.c).
            var tasks = stat()
            guard unsafe stat("/proc/self/task", &tasks) == 0, tasks.st_nlink > 3 else { return }
            sched_yield()
        }
    }
}

/// The body of each thread of the check: waits until all have been started.
private func waitAtGate(_ gate: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let lock = unsafe gate?.assumingMemoryBound(to: pthread_mutex_t.self) else { return nil }
    unsafe pthread_mutex_lock(lock)
    unsafe pthread_mutex_unlock(lock)
    return nil
}
