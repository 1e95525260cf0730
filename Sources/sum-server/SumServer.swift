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
        let (settings, unknownVariables) = parse()
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
        for name in unknownVariables {
            logger.warning("no option has this variable", metadata: ["name": "\(name)"])
        }
        let (stop, stopper) = AsyncStream.makeStream(of: String.self)
        // A further signal adds nothing while one is waiting.
        let (reloads, reload) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(1))
        // On an event loop, since those threads are needed anyway: Dispatch starts its own once the server listens.
        Task.detached(executorPreference: EventLoopExecutor.shared()) { [logger] in
            do {
                let run = try await ServerRun(settings, at: addresses, logger: logger)
                Task.detached { await run.serve(until: stop, reloads: reloads) }
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

    /// - Returns: also the variables of this project that no option has.
    private static func parse() -> (ServerSettings, unknownVariables: [String]) {
        var words = Array(CommandLine.arguments.dropFirst())
        if let facts = BuildFacts.answer(words, of: "sum-server") { finish(facts) }
        if words == ["--check"], let server = SelfCheck.wordsOfFirstProcess() { words = server + words }
        let environment: EnvironmentOptions
        do {
            environment = try EnvironmentOptions(
                words, OptionVariable.ofServer, others: OptionVariable.isKnownToClient,
                variables: EnvironmentOptions.variables())
        } catch {
            fail("\(error)", ExitCode.validationFailure.rawValue)
        }
        if let settings = ServerSettings(commonArguments: environment.words) {
            return (settings, environment.unknown)
        }
        do {
            var command = try SumServerCommand.parseAsRoot(environment.words)
            guard let command = command as? SumServerCommand else {
                try command.run()
                end(0)
            }
            if command.check { SelfCheck.run(try command.settings) }
            if command.printConfig {
                finish(
                    ConfigurationReport.lines(words, environment).map(\.escapedWhole).joined(separator: "\n"))
            }
            return (try command.settings, environment.unknown)
        } catch  where SumServerCommand.exitCode(for: error).isSuccess {
            let text = SumServerCommand.fullMessage(for: error)
            finish(CompletionScript.isRequested(by: words) ? CompletionScript.withoutSubcommands(text) : text)
        } catch {
            let reason = SumServerCommand.message(for: error).prefix { !$0.isNewline }
            fail(
                "\(environment.explaining(String(reason))) (see 'sum-server --help')",
                SumServerCommand.exitCode(for: error).rawValue)
        }
    }

    /// Exits with 0 once `text` is written.
    private static func finish(_ text: String) -> Never {
        do {
            try FileDescriptor.standardOutput.writeAllWaiting("\(text)\n")
        } catch {
            fail("standard output: \(error)", 1)
        }
        end(0)
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
