internal import Glibc
internal import NIOCore
internal import SystemPackage

/// Whether the process may have the threads and descriptors without which SwiftNIO and the Swift runtime would trap, or
/// wait for ever.
public enum ProcessLimits {
    /// A limit is too low.
    public struct TooLow: Error, CustomStringConvertible {
        public var description: String
    }

    /// Tries both. To be called first in a program, while it has no thread but the main one; so not from an `async` main
    /// function, which needs others to begin.
    ///
    /// - Parameters:
    ///   - threadsPerCore: beside one for each event loop.
    ///   - descriptors: beside those of the event loops.
    public static func check(threadsPerCore: Int, descriptors: Int) throws(TooLow) {
        let loops = NIOSingletons.groupLoopCountSuggestion
        // An event loop has three: epoll, and what wakes it by hand and by time.
        try checkDescriptors(3 * loops + descriptors)
        // Of Dispatch's own threads there are few.
        try checkThreads(loops * (1 + threadsPerCore) + 4)
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
                    "\(count) files and sockets are needed, and no more than \(opened.count) can be opened: "
                    + "\(error) (see 'ulimit -n')")
        }
    }

    private static func checkThreads(_ count: Int) throws(TooLow) {
        // Sound: the lock outlives the threads, which are all joined.
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
                description: "\(count) threads are needed, and no more than \(threads.count) can be started: "
                    + "\(Errno(rawValue: failure)) (see 'ulimit -u', or the limit of tasks of the service or container)"
            )
        }
        waitUntilAlone()
    }

    /// A thread that has been joined counts for the kernel's limits a moment longer.
    private static func waitUntilAlone() {
        for _ in 0..<1000 {
            // Each thread is a directory, beside `.` and `..` (proc_task_getattr in Linux' fs/proc/base.c).
            guard let tasks = try? Stat(FilePath("/proc/self/task")), tasks.linkCount > 3 else { return }
            sched_yield()
        }
    }
}

/// What a thread of the check does: it waits until all are there.
private func waitAtGate(_ gate: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let lock = unsafe gate?.assumingMemoryBound(to: pthread_mutex_t.self) else { return nil }
    unsafe pthread_mutex_lock(lock)
    unsafe pthread_mutex_unlock(lock)
    return nil
}
