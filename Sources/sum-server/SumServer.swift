import ArgumentParser
import Glibc
import Logging
import SumCore
import SystemPackage

/// The process around the server: its limits, its signals, its memory, its end.
@main
enum SumServer {
    /// Every how many seconds it is looked whether there is memory to give back.
    private static let heapInterval: UInt32 = 2

    /// Not `async`: that would need threads before it is known whether there may be any.
    static func main() {
        var heap = Heap()
        StandardDescriptors.reserve()
        FileDescriptorLimit.raise()
        let signals = Signals()
        let command = parse()
        do {
            try ProcessLimits.check(
                threadsPerCore: 1, descriptors: 4 + 2 * (command.addresses.listen.count + 1))
        } catch {
            fail("\(error)", 1)
        }
        var logger = Logger(label: "sum-server") { LineLogHandler(label: $0, writer: .standardError) }
        logger.logLevel = command.logLevel
        let (stop, stopper) = AsyncStream.makeStream(of: String.self)
        Task.detached { [logger] in
            do {
                try await command.serve(until: stop, logger: logger)
            } catch {
                fail("\(error)", 1)
            }
        }

        var policy = StopPolicy()
        while true {
            guard let number = signals.next(within: heapInterval) else {
                heap.trimIfWorthwhile()
                continue
            }
            switch policy.receive(number == SIGHUP ? .reload : .stop, at: .now) {
            case .drain:
                stopper.yield(name(number))
            case .endAtOnce:
                logger.warning("second signal: ending at once")
                end(1)
            case .refuseReload:
                logger.info("there is nothing to reload", metadata: ["signal": "\(name(number))"])
            case .none:
                break
            }
        }
    }

    private static func parse() -> SumServerCommand {
        do {
            var command = try SumServerCommand.parseAsRoot()
            if let command = command as? SumServerCommand { return command }
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

    private static func name(_ signal: Int32) -> String {
        switch signal {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGQUIT: "SIGQUIT"
        default: "SIGHUP"
        }
    }

    /// Says why on standard error.
    static func fail(_ reason: String, _ status: Int32) -> Never {
        LineWriter.standardOutput.flush()
        LineWriter.standardError.finish(with: "sum-server: \(reason.escapedWhole)\n")
        exit(status)
    }

    /// Ends the process once the lines are written, if they can be.
    static func end(_ status: Int32) -> Never {
        LineWriter.standardOutput.flush()
        LineWriter.standardError.flush()
        exit(status)
    }
}
