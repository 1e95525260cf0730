import ArgumentParser

/// The load that our own library makes, and the loops alone. Each prints one line of names and figures.
@main
struct SumBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sum-bench", subcommands: [StreamLoad.self, CallLoad.self, LoopTimes.self])
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
