import ArgumentParser
import SumCore

// Options with a range, which the error for a refused value states. sum-server has a link to this file.
//
// They take the next word as their value even if it begins with a dash, so that the error for `-1s` says that the value
// is out of range, and not that it is missing.

extension Option<Duration> {
    init(wrappedValue: Duration, duration help: String, in range: ClosedRange<Duration> = .zero ... .longest)
    {
        self.init(
            wrappedValue: wrappedValue, parsing: .unconditional,
            help: .init("\(help) (default: \(wrappedValue.text))", valueName: "duration"),
            transform: { text in try range.value(of: text) })
    }
}

extension Option<Duration?> {
    init(duration help: String, in range: ClosedRange<Duration> = .zero ... .longest) {
        self.init(
            parsing: .unconditional, help: .init("\(help)", valueName: "duration"),
            transform: { text in try range.value(of: text) })
    }
}

extension Option where Value: FixedWidthInteger & Sendable {
    init(
        wrappedValue: Value, number help: String, name: String = "n",
        in range: ClosedRange<Value> = Value.min...Value.max
    ) {
        self.init(
            wrappedValue: wrappedValue, parsing: .unconditional,
            help: .init("\(help) (default: \(wrappedValue))", valueName: name),
            transform: { text in try range.value(of: text) })
    }
}

extension Option {
    /// An option without a default value; `help` must state the default.
    init<Number: FixedWidthInteger & Sendable>(
        number help: String, name: String = "n", in range: ClosedRange<Number> = Number.min...Number.max
    ) where Value == Number? {
        self.init(
            parsing: .unconditional, help: .init("\(help)", valueName: name),
            transform: { text in try range.value(of: text) })
    }
}

extension ClosedRange<Duration> {
    fileprivate func value(of text: String) throws -> Duration {
        let duration = try Duration(text: text)
        guard contains(duration) else {
            throw ValidationError(
                upperBound == .longest
                    ? "it must be at least \(lowerBound.text)"
                    : "it must be from \(lowerBound.text) to \(upperBound.text)")
        }
        return duration
    }
}

extension ClosedRange where Bound: FixedWidthInteger {
    fileprivate func value(of text: String) throws -> Bound {
        guard let number = Bound(text), contains(number) else {
            throw ValidationError("it must be a number from \(lowerBound) to \(upperBound)")
        }
        return number
    }
}
