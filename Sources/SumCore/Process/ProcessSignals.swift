internal import Glibc

/// The signal dispositions of the process. Use these before any signal is trapped.
package enum ProcessSignals {
    /// Makes a write to a pipe or socket without a reader fail with EPIPE, instead of killing the process with SIGPIPE.
    package static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// Whether a signal was ignored when the process started. Such a signal should stay ignored: a shell without job
    /// control ignores SIGINT in its background jobs, because it is meant for the foreground, and `nohup` ignores
    /// SIGHUP.
    package static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        // Sound because the handlers are only compared as addresses, and never called; SIG_IGN is not a real address.
        let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        let ignored = unsafe unsafeBitCast(SIG_IGN, to: Int.self)
        return handler == ignored
    }
}
