import ArgumentParser
import Glibc
import SumCore
import SystemPackage

@main
enum SumClientCommand {
    /// Not `async`, because an async main function needs threads, and `ProcessLimits` must first check that it may have
    /// some.
    static func main() {
        StandardDescriptors.reserve()
        ProcessSignals.ignoreBrokenPipes()
        let interruption = Interruption()
        do {
            // Per core: an event loop, a thread for tasks, and one for blocking work.
            try ProcessLimits.check(threadsPerCore: 2, descriptors: 12)
        } catch {
            Console.say("\(error)")
            Console.quit(.ioError)
        }
        // On an event loop, since those threads are needed anyway, and Dispatch would first have to start its own.
        Task.detached(executorPreference: EventLoopExecutor.shared()) { await run() }
        interruption.wait()
    }

    private static func run() async {
        let arguments = Arguments(CommandLine.arguments.dropFirst())
        let settings = settings(arguments.options)
        let telemetry = telemetry(settings)
        if settings.checksHealth { await reportHealth(settings, arguments, telemetry) }
        let plan = plan(settings, arguments, telemetry)
        narrateProxy(plan.target, settings)
        let run: any Run = settings.isSpread ? SpreadRun(plan, chunkSize: settings.chunkSize) : SumRun(plan)
        Interruption.begin(run)
        let progress = Terminal.canClearLines ? Progress(of: run) : nil
        let outcome = await run.outcome()
        await progress?.end()
        let status =
            switch outcome {
            case .success(let outcome): print(outcome, settings)
            case .failure(let failure): describe(failure)
            }
        await telemetry.close()
        Console.quit(status)
    }

    private static func telemetry(_ settings: ClientSettings) -> ClientTelemetry {
        do {
            return try ClientTelemetry(settings.otlpEndpoint) { Console.say("warning: \($0)") }
        } catch {
            report(.input(.io(error.description)))
        }
    }

    /// - Parameter words: the command line without numbers.
    private static func settings(_ words: [String]) -> ClientSettings {
        if let facts = BuildFacts.answer(words, of: "sum-client") { Console.quit(write(facts) ?? .success) }
        let environment: EnvironmentOptions
        do {
            environment = try EnvironmentOptions(
                words, OptionVariable.ofClient,
                others: { $0 == CredentialSettings.variable || $0.hasPrefix("SUM_SERVER_") },
                variables: EnvironmentOptions.variables())
        } catch {
            Console.say("\(error)")
            Console.quit(.usage)
        }
        for name in environment.unknown { Console.say("warning: no option has the variable \(name)") }
        return ClientSettings(commonArguments: environment.words) ?? parse(environment)
    }

    private static func parse(_ environment: EnvironmentOptions) -> ClientSettings {
        do {
            let command = try ClientOptions.parseAsRoot(environment.words)
            guard let options = command as? ClientOptions else {
                var command = command
                try command.run()
                Console.quit(.success)
            }
            return options.settings
        } catch {
            // The output of --help and --version. ArgumentParser's own `exit` would not notice if writing it failed.
            guard !ClientOptions.exitCode(for: error).isSuccess else {
                let text = ClientOptions.fullMessage(for: error)
                let isScript = CompletionScript.isRequested(by: environment.words)
                Console.quit(write(isScript ? CompletionScript.withoutSubcommands(text) : text) ?? .success)
            }
            let reason = ClientOptions.message(for: error).prefix { !$0.isNewline }
            Console.say("\(environment.explaining(String(reason))) (see 'sum-client --help')")
            Console.quit(.usage)
        }
    }

    /// Checks everything that can be checked before connecting.
    private static func plan(
        _ settings: ClientSettings, _ arguments: Arguments, _ telemetry: ClientTelemetry
    ) -> RunPlan {
        if arguments.operands.isEmpty, settings.files.isEmpty, Console.standardInputIsTerminal {
            Console.say("no numbers: give them as arguments, or pipe them in (see 'sum-client --help')")
            Console.quit(.usage)
        }
        do {
            let (numbers, inputs) = try arguments.numbersAndInputs(files: settings.files)
            for input in inputs { try input.check() }
            var configuration = try settings.clientConfiguration(tls: try loadTLS(settings))
            configuration.observers += telemetry.observers
            return RunPlan(
                targets: settings.servers,
                configuration: configuration,
                options: try settings.callOptions(),
                numbers: numbers, inputs: inputs,
                narrate: { [isVerbose = settings.isVerbose] in if isVerbose { Console.say($0) } })
        } catch let error as InputError {
            report(.input(error))
        } catch let error as TLSConfigurationError {
            report(.input(.io(error.description)))
        } catch {
            Console.say("\(error)")
            Console.quit(.usage)
        }
    }

    private static func loadTLS(_ settings: ClientSettings) throws(TLSConfigurationError) -> ClientTLS? {
        guard var configuration = settings.tls else { return nil }
        let warn = { (text: String) in Console.say("warning: \(text)") }
        configuration.keyLog = try TLSKeyLog.fromEnvironment(warn: warn)
        let tls = try ClientTLS(configuration)
        if let warning = tls.warning { warn(warning) }
        return tls
    }

    private static func reportHealth(
        _ settings: ClientSettings, _ arguments: Arguments, _ telemetry: ClientTelemetry
    ) async -> Never {
        guard arguments.operands.isEmpty, settings.files.isEmpty else {
            Console.say("--health takes no numbers (see 'sum-client --help')")
            Console.quit(.usage)
        }
        let target = Target(anyOf: settings.targets) ?? .default
        narrateProxy(target, settings)
        do {
            var configuration = try settings.clientConfiguration(tls: try loadTLS(settings))
            configuration.observers += telemetry.observers
            let client = GRPCClient(target: target, configuration: configuration)
            var callOptions = try settings.callOptions()
            callOptions.timeout =
                callOptions.timeout ?? (settings.waitsForReady ? nil : settings.connectTimeout)
            let status: ExitStatus
            do throws(GRPCStatus) {
                let health = try await client.checkHealth(of: settings.service, options: callOptions)
                status = write(health.rawValue) ?? (health == .serving ? .success : .notServing)
            } catch {
                status = describe(.call(error))
            }
            await client.close()
            await telemetry.close()
            Console.quit(status)
        } catch let error as TLSConfigurationError {
            report(.input(.io(error.description)))
        } catch {
            Console.say("\(error)")
            Console.quit(.usage)
        }
    }

    private static func narrateProxy(_ target: Target, _ settings: ClientSettings) {
        guard settings.isVerbose else { return }
        for line in settings.proxy.explanation(for: target, source: "--proxy") { Console.say(line) }
    }

    /// - Returns: how the program is to exit.
    private static func print(_ outcome: RunOutcome, _ settings: ClientSettings) -> ExitStatus {
        if let failure = write(settings.printsJSON ? outcome.json : "\(outcome.sum)") { return failure }
        let seconds = outcome.elapsed / .seconds(1)
        if settings.isVerbose { Console.say("status OK after \(seconds) s") }
        return .success
    }

    /// Writes the result to standard output.
    ///
    /// - Returns: how the program is to exit if that fails, since then the run has failed; otherwise nil.
    private static func write(_ line: String) -> ExitStatus? {
        do {
            try FileDescriptor.standardOutput.writeAllWaiting("\(line)\n")
            return nil
        } catch {
            return describe(.input(.io("standard output: \(error)")))
        }
    }

    private static func report(_ failure: RunFailure) -> Never {
        Console.quit(describe(failure))
    }

    /// Says why the run has failed.
    ///
    /// - Returns: how the program is to exit.
    private static func describe(_ failure: RunFailure) -> ExitStatus {
        switch failure {
        case .input(.notANumber(let place, let word, let hint)):
            Console.say(
                "\(place): not an int32: '\(word.escapedToASCII)'" + (hint.map { " (\($0))" } ?? ""))
            return .badNumber
        case .input(.io(let reason)):
            Console.say(reason)
            return .ioError
        case .call(CallCredentials.notPrivate):
            Console.say("\(CallCredentials.notPrivate)")
            return .usage
        case .call(let status):
            // The details of this status state what its message states.
            let details = SumNumbers.OutOfRange(status) == nil ? status.detailsDescription : nil
            Console.say("\(status)" + (details.map { " (\($0))" } ?? ""))
            return .failedCall(status.code)
        case .interrupted:
            Console.say("interrupted")
            return .interrupted
        }
    }
}
