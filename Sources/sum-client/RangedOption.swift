import ArgumentParser
import SumCore

// Options that say what would be valid when they refuse a value. sum-server has a link to this file.
//
// They take the next word whatever it looks like, so that `-1s` is a value that is refused, and not a missing one.

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
    /// The help says what the default is.
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
                    ? "it is at least \(lowerBound.text)"
                    : "it is from \(lowerBound.text) to \(upperBound.text)")
        }
        return duration
    }
}

extension ClosedRange where Bound: FixedWidthInteger {
    fileprivate func value(of text: String) throws -> Bound {
        guard let number = Bound(text), contains(number) else {
            throw ValidationError("it is a number from \(lowerBound) to \(upperBound)")
        }
        return number
    }
}
