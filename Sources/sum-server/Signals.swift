import Glibc
import SumCore

/// The signals that the server is told with, as the main thread waits for them: no other thread is interrupted by them,
/// and however busy the others are, they are heard.
struct Signals {
    private var awaited = sigset_t()

    /// Holds them back in every thread that is started from now on. To be called while there is none but the main one.
    ///
    /// Those that the parent ignores stay ignored, SIGHUP under nohup as well as SIGINT and SIGQUIT of a shell's
    /// background job. Not so SIGTERM, without which nobody could stop the server gracefully.
    init() {
        ProcessSignals.ignoreBrokenPipes()
        // A background job may write to its terminal, where that stops jobs by default.
        signal(SIGTTOU, SIG_IGN)
        unsafe sigemptyset(&awaited)
        for number in [SIGTERM, SIGINT, SIGQUIT, SIGHUP]
        where number == SIGTERM || !ProcessSignals.isIgnored(number) {
            unsafe sigaddset(&awaited, number)
        }
        unsafe sigaddset(&awaited, SIGALRM)
        unsafe pthread_sigmask(SIG_BLOCK, &awaited, nil)
    }

    /// Waits for the next one.
    ///
    /// - Returns: its number; nil when none has come for so many seconds.
    func next(within seconds: UInt32) -> Int32? {
        var (awaited, number) = (awaited, SIGALRM)
        alarm(seconds)
        _ = unsafe sigwait(&awaited, &number)
        return number == SIGALRM ? nil : number
    }
}
