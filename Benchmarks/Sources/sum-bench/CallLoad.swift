import ArgumentParser
import SumCore

/// Many short calls of SumNumbers, by the method that the library has for numbers that are all known.
struct CallLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "calls")

    @OptionGroup var load: LoadOptions
    @Option(help: "The numbers 1...K in each call.") var numbers = 10

    func run() async throws {
        let sent = (1...numbers).map { Int32($0) }
        let expected = sent.reduce(0, +)
        try await load.run { client in
            let sum = try await client.sum(of: sent)
            guard sum == expected else { throw ValidationError("the sum was \(sum), not \(expected)") }
        }
    }
}
