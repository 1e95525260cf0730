package import NIOCore

/// Runs tasks on the thread of an event loop. Each job, the code between two suspensions, is one task of the loop.
package final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    /// Creates an executor that runs tasks on `eventLoop`.
    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // Sound because the job is run exactly once, and the closure retains the executor until then.
        eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
