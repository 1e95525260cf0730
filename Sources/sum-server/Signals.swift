import Glibc
import SumCore

/// The signals that control the server. Only the main thread receives them, by waiting: no other thread is interrupted,
/// and they are noticed however busy the other threads are.
struct Signals {
    private var awaited = sigset_t()

    /// Blocks the signals in every thread started from now on. Call this while the main thread is the only one.
    ///
    /// Signals that the parent process ignores stay ignored: SIGHUP under nohup, SIGINT and SIGQUIT in a shell's
    /// background job. The exception is SIGTERM, without which nobody could stop the server gracefully.
    init() {
        ProcessSignals.ignoreBrokenPipes()
        // Lets a background job write to its terminal, even if the terminal is set to stop it for that (`stty tostop`).
        signal(SIGTTOU, SIG_IGN)
        unsafe sigemptyset(&awaited)
        for number in [SIGTERM, SIGINT, SIGQUIT, SIGHUP]
        where number == SIGTERM || !ProcessSignals.isIgnored(number) {
            unsafe sigaddset(&awaited, number)
        }
        unsafe sigaddset(&awaited, SIGALRM)
        unsafe pthread_sigmask(SIG_BLOCK, &awaited, nil)
    }

    /// Waits for the next signal.
    ///
    /// - Returns: the signal's number; nil if none arrived within `seconds`.
    func next(within seconds: UInt32) -> Int32? {
        var (awaited, number) = (awaited, SIGALRM)
        alarm(seconds)
        _ = unsafe sigwait(&awaited, &number)
        return number == SIGALRM ? nil : number
    }
}
