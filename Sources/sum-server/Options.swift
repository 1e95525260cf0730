public import ArgumentParser
public import Logging
public import SumCore

extension ListenAddress: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(argument)
    }
}

extension SumNumbers.Overflow: ExpressibleByArgument {}

extension Logger.Level: @retroactive ExpressibleByArgument {}

extension Duration: @retroactive ExpressibleByArgument {
    public init?(argument: String) {
        self.init(text: argument)
    }

    public var defaultValueDescription: String {
        let seconds = components.seconds
        if seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        if seconds % 60 == 0 { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }
}
