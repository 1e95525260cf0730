import ArgumentParser
import Glibc
import Logging
import SumCore
import SumTelemetry
import Synchronization
import SystemPackage

/// The server's process: limits, signals, memory, exit.
@main
enum SumServer {
    /// Seconds between checks whether to return memory to the system.
    private static let heapInterval: UInt32 = 2

    /// The format of the log, once the options are known.
    private static let logFormat = Mutex(LogFormat.text)

    /// Not `async`, because an async main function needs threads, and `ProcessLimits` must first check that it may have
    /// some.
    static func main() {
        var malloc = Malloc()
        StandardDescriptors.reserve()
        FileDescriptorLimit.raise()
        let signals = Signals()
        let settings = parse()
        let addresses = addresses(settings)
        do {
            let operators = [settings.metricsAddress, settings.adminAddress].count { $0 != nil }
            try ProcessLimits.check(
                threadsPerCore: 1,
                // The pages have a thread of their own.
                moreLoops: settings.metricsAddress == nil ? 0 : 1,
                descriptors: 4 + 2 * (addresses.count + operators + 1))
        } catch {
            fail("\(error)", 1)
        }
        let format = settings.logFormat
        logFormat.withLock { $0 = format }
        var logger = Logger(label: "sum-server") {
            LineLogHandler(label: $0, writer: .standardError, format: format)
        }
        logger.logLevel = settings.logLevel
        let (stop, stopper) = AsyncStream.makeStream(of: String.self)
        // A further signal adds nothing while one is waiting.
        let (reloads, reload) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(1))
        Task.detached { [logger] in
            do {
                let run = ServerRun(settings: settings, addresses: addresses, logger: logger)
                try await run.serve(until: stop, reloads: reloads)
            } catch {
                fail("\(error)", 1)
            }
        }

        var policy = StopPolicy(drainDelay: settings.drainDelay)
        while true {
            guard let number = signals.next(within: heapInterval) else {
                malloc.trimIfWorthwhile()
                continue
            }
            switch policy.receive(number == SIGHUP ? .reload : .stop, at: .now) {
            case .announce, .drain:
                stopper.yield(name(number))
            case .endAtOnce:
                logger.warning("another signal: stopping at once")
                end(1)
            case .reload:
                reload.yield(name(number))
            case .none:
                break
            }
        }
    }

    private static func parse() -> ServerSettings {
        let words = Array(CommandLine.arguments.dropFirst())
        if let settings = ServerSettings(commonArguments: words) { return settings }
        do {
            var command = try SumServerCommand.parseAsRoot(words)
            if let command = command as? SumServerCommand { return try command.settings }
            try command.run()
            end(0)
        } catch  where SumServerCommand.exitCode(for: error).isSuccess {
            do {
                try FileDescriptor.standardOutput.writeAllWaiting(
                    "\(SumServerCommand.fullMessage(for: error))\n")
            } catch {
                fail("standard output: \(error)", 1)
            }
            end(0)
        } catch {
            let reason = SumServerCommand.message(for: error).prefix { !$0.isNewline }
            fail("\(reason) (see 'sum-server --help')", SumServerCommand.exitCode(for: error).rawValue)
        }
    }

    /// Where to listen, with the sockets that systemd has passed.
    private static func addresses(_ settings: ServerSettings) -> [ListenAddress] {
        do {
            return try ListenPlan.addresses(for: settings.listen, sockets: try SocketActivation.take())
        } catch {
            fail("\(error)", ExitCode.validationFailure.rawValue)
        }
    }

    private static func name(_ signal: Int32) -> String {
        switch signal {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGQUIT: "SIGQUIT"
        default: "SIGHUP"
        }
    }

    /// Exits with `status` after it has written the queued output and `reason` on standard error.
    static func fail(_ reason: String, _ status: Int32) -> Never {
        LineWriter.standardOutput.flush()
        LineWriter.standardError.finish(
            with: LineLogHandler.lastLine(
                reason.escapedWhole, label: "sum-server", format: logFormat.withLock { $0 },
                writer: .standardError))
        exit(status)
    }

    /// Exits with `status` after it has written the queued output, if that is possible.
    static func end(_ status: Int32) -> Never {
        LineWriter.standardOutput.flush()
        LineWriter.standardError.flush()
        exit(status)
    }
}
