import Glibc
import SumCore
import Synchronization

/// SIGINT and SIGTERM: the first one interrupts the run, the second one ends the program.
///
/// Only the main thread receives them, by waiting, for which it has nothing else to do: no other thread is interrupted,
/// and none has to be started for signals.
struct Interruption {
    private static let run = Mutex<(any Run)?>(nil)
    private var awaited = sigset_t()

    /// Blocks the signals in every thread started from now on. Call this while the main thread is the only one.
    ///
    /// Signals that the parent process ignores stay ignored.
    init() {
        unsafe sigemptyset(&awaited)
        for number in [SIGINT, SIGTERM] where !ProcessSignals.isIgnored(number) {
            unsafe sigaddset(&awaited, number)
        }
        unsafe pthread_sigmask(SIG_BLOCK, &awaited, nil)
    }

    /// From now on, a signal interrupts this run.
    static func begin(_ run: any Run) {
        Self.run.withLock { $0 = run }
    }

    /// Waits for signals until the program ends.
    func wait() -> Never {
        var interrupted = false
        while true {
            var (awaited, number) = (awaited, Int32(0))
            guard unsafe sigwait(&awaited, &number) == 0 else { continue }
            guard let run = Self.run.withLock({ $0 }) else { die(of: number) }
            if interrupted { Console.quit(.interrupted) }
            run.interrupt()
            interrupted = true
        }
    }

    /// Ends the program by the signal, as if it had never been blocked.
    private func die(of number: Int32) -> Never {
        var awaited = awaited
        signal(number, SIG_DFL)
        unsafe pthread_sigmask(SIG_UNBLOCK, &awaited, nil)
        raise(number)
        Console.quit(.interrupted)
    }
}
