internal import Glibc

/// What becomes of the process's signals. To be called before any is trapped.
public enum ProcessSignals {
    /// Has writing to a pipe or socket that nobody reads fail with EPIPE, instead of ending the process.
    public static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// Whether whoever started the process has it ignore a signal. It is then to stay so: a shell without job control
    /// has its background jobs ignore SIGINT, which is meant for the foreground, and `nohup` SIGHUP.
    public static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        // Sound: both are addresses, of a function or, as in SIG_IGN, of none; nothing is called.
        let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        let ignored = unsafe unsafeBitCast(SIG_IGN, to: Int.self)
        return handler == ignored
    }
}
