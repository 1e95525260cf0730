public import ArgumentParser
public import Logging
public import SumCore
public import SumTelemetry

extension SumNumbers.Overflow: ExpressibleByArgument {}

extension LogFormat: ExpressibleByArgument {}

extension Logger.Level: @retroactive ExpressibleByArgument {}
