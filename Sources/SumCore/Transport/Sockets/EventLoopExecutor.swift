package import NIOCore
internal import NIOPosix
internal import Synchronization

/// Runs tasks on the thread of an event loop. Jobs, each the code between two suspensions, that come together run in one
/// task of the loop.
package final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop
    private let jobs = Mutex<[UnownedJob]>([])

    /// Creates an executor that runs tasks on `eventLoop`.
    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// An executor on one of the event loops that all servers and clients share.
    package static func shared() -> EventLoopExecutor {
        EventLoopExecutor(MultiThreadedEventLoopGroup.singleton.next())
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = jobs.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        if isFirst { eventLoop.execute { self.runJobs() } }
    }

    /// Runs the jobs that have come. Those that come meanwhile wait for the loop's next round, so that sockets get their
    /// turn.
    private func runJobs() {
        var ready: [UnownedJob] = []
        jobs.withLock { swap(&$0, &ready) }
        // Sound because each job is run exactly once, and the caller retains the executor until then.
        for job in ready { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
