public import ArgumentParser
public import Logging
public import SumCore

extension SumNumbers.Overflow: ExpressibleByArgument {}

extension Logger.Level: @retroactive ExpressibleByArgument {}
