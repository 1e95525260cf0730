import ArgumentParser
import Glibc
import SumCore
import SystemPackage
import UnixSignals

@main
enum SumClientCommand {
    /// Not `async`, because an async main function needs threads, and `ProcessLimits` must first check that it may have
    /// some.
    static func main() {
        StandardDescriptors.reserve()
        ProcessSignals.ignoreBrokenPipes()
        do {
            // Per core: an event loop, a thread for tasks, and one for blocking work.
            try ProcessLimits.check(threadsPerCore: 2, descriptors: 12)
        } catch {
            Console.say("\(error)")
            Console.quit(.ioError)
        }
        Task.detached { await run() }
        while true { pause() }
    }

    private static func run() async {
        let arguments = Arguments(CommandLine.arguments.dropFirst())
        let settings = ClientSettings(commonArguments: arguments.options) ?? parse(arguments.options)
        if settings.checksHealth { await reportHealth(settings, arguments) }
        let plan = plan(settings, arguments)
        narrateProxy(plan.target, settings)
        let run: any Run = settings.isSpread ? SpreadRun(plan, chunkSize: settings.chunkSize) : SumRun(plan)
        let endings: [UnixSignal] = [.sigint, .sigterm]
        let signals = await UnixSignalsSequence(
            trapping: endings.filter { !ProcessSignals.isIgnored($0.rawValue) })
        Task {
            var isFirst = true
            for await _ in signals {
                if isFirst { run.interrupt() } else { Console.quit(.interrupted) }
                isFirst = false
            }
        }

        let progress = Terminal.canClearLines ? Progress(of: run) : nil
        let outcome = await run.outcome()
        await progress?.end()
        switch outcome {
        case .success(let outcome): print(outcome, settings)
        case .failure(let failure): report(failure)
        }
    }

    private static func parse(_ words: [String]) -> ClientSettings {
        do {
            let command = try ClientOptions.parseAsRoot(words)
            guard let options = command as? ClientOptions else {
                var command = command
                try command.run()
                Console.quit(.success)
            }
            return options.settings
        } catch {
            // The output of --help and --version. ArgumentParser's own `exit` would not notice if writing it failed.
            guard !ClientOptions.exitCode(for: error).isSuccess else {
                write(ClientOptions.fullMessage(for: error))
                Console.quit(.success)
            }
            let reason = ClientOptions.message(for: error).prefix { !$0.isNewline }
            Console.say("\(reason) (see 'sum-client --help')")
            Console.quit(.usage)
        }
    }

    /// Checks everything that can be checked before connecting.
    private static func plan(_ settings: ClientSettings, _ arguments: Arguments) -> RunPlan {
        if arguments.operands.isEmpty, settings.files.isEmpty, Console.standardInputIsTerminal {
            Console.say("no numbers: give them as arguments, or pipe them in (see 'sum-client --help')")
            Console.quit(.usage)
        }
        do {
            let (numbers, inputs) = try arguments.numbersAndInputs(files: settings.files)
            for input in inputs { try input.check() }
            return RunPlan(
                targets: settings.servers,
                configuration: try settings.clientConfiguration(tls: try loadTLS(settings)),
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

    private static func reportHealth(_ settings: ClientSettings, _ arguments: Arguments) async -> Never {
        guard arguments.operands.isEmpty, settings.files.isEmpty else {
            Console.say("--health takes no numbers (see 'sum-client --help')")
            Console.quit(.usage)
        }
        let target = Target(anyOf: settings.targets) ?? .default
        narrateProxy(target, settings)
        do {
            let client = GRPCClient(
                target: target,
                configuration: try settings.clientConfiguration(tls: try loadTLS(settings)))
            var callOptions = try settings.callOptions()
            callOptions.timeout =
                callOptions.timeout ?? (settings.waitsForReady ? nil : settings.connectTimeout)
            let status = try await client.checkHealth(of: settings.service, options: callOptions)
            await client.close()
            write(status.rawValue)
            Console.quit(status == .serving ? .success : .notServing)
        } catch let status as GRPCStatus {
            report(.call(status))
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

    private static func print(_ outcome: RunOutcome, _ settings: ClientSettings) {
        write(settings.printsJSON ? outcome.json : "\(outcome.sum)")
        let seconds = outcome.elapsed / .seconds(1)
        if settings.isVerbose { Console.say("status OK after \(seconds) s") }
        Console.quit(.success)
    }

    /// Writes the result to standard output. If that fails, the run has failed.
    private static func write(_ line: String) {
        do {
            try FileDescriptor.standardOutput.writeAllWaiting("\(line)\n")
        } catch {
            report(.input(.io("standard output: \(error)")))
        }
    }

    private static func report(_ failure: RunFailure) -> Never {
        switch failure {
        case .input(.notANumber(let place, let word, let hint)):
            Console.say(
                "\(place): not an int32: '\(word.escapedToASCII)'" + (hint.map { " (\($0))" } ?? ""))
            Console.quit(.badNumber)
        case .input(.io(let reason)):
            Console.say(reason)
            Console.quit(.ioError)
        case .call(CallCredentials.notPrivate):
            Console.say("\(CallCredentials.notPrivate)")
            Console.quit(.usage)
        case .call(let status):
            // The details of this status state what its message states.
            let details = SumNumbers.OutOfRange(status) == nil ? status.detailsDescription : nil
            Console.say("\(status)" + (details.map { " (\($0))" } ?? ""))
            Console.quit(.failedCall(status.code))
        case .interrupted:
            Console.say("interrupted")
            Console.quit(.interrupted)
        }
    }
}
