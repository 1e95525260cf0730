/// Why a text is not a duration.
package struct InvalidDuration: Error, Hashable, CustomStringConvertible {
    package let description: String
}

extension Duration {
    /// The longest duration that is accepted: a million hours. No clock or timer in this package overflows with it.
    package static let longest = Duration.seconds(3_600_000_000)

    private static let units: [(name: String, duration: Duration)] = [
        ("h", .seconds(3600)), ("m", .seconds(60)), ("s", .seconds(1)), ("ms", .milliseconds(1)),
        ("us", .microseconds(1)), ("ns", .nanoseconds(1)),
    ]

    /// Parses a duration in Go's format: one or more decimal numbers, each with a unit, `ns`, `us`, `ms`, `s`, `m` or
    /// `h`. Examples: `250ms`, `1.5s`, `1h30m`.
    ///
    /// - Throws: `InvalidDuration` for anything else, for a negative duration, and for one longer than `longest`.
    package init(text: String) throws(InvalidDuration) {
        var rest = Substring(text)
        var sum = Duration.zero
        repeat {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            let name = rest.dropFirst(number.count).prefix { !$0.isNumber && $0 != "." }
            guard let unit = Self.units.first(where: { $0.name == name }),
                let part = Self.part(number, of: unit.duration)
            else {
                throw InvalidDuration(
                    description: text.hasPrefix("-")
                        ? "a duration cannot be negative"
                        : "a duration is a number with a unit, such as 500ms, 1.5s or 1h30m")
            }
            sum += part
            guard sum <= Self.longest else {
                throw InvalidDuration(description: "a duration is at most \(Self.longest.text)")
            }
            rest = rest.dropFirst(number.count + name.count)
        } while !rest.isEmpty
        self = sum
    }

    /// - Parameter number: `1`, `1.` or `1.5`. Only nine digits after the point count.
    private static func part(_ number: Substring, of unit: Duration) -> Duration? {
        let digits = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = digits.first, !whole.isEmpty, digits.count == 1 || !digits[1].contains(".") else {
            return nil
        }
        let fraction = digits.count == 1 ? "" : String(digits[1].prefix(9))
        let billionths = Int64(fraction + String(repeating: "0", count: 9 - fraction.count)) ?? 0
        // Clamped to one unit more than the longest duration, which is out of range and cannot overflow.
        let count = min(Int64(whole) ?? .max, Int64(longest / unit) + 1)
        return unit * count + unit * billionths / 1_000_000_000
    }

    /// The duration in the format of `init(text:)`, in the largest unit that divides it.
    package var text: String {
        let nanoseconds = wholeNanoseconds
        guard nanoseconds > 0 else { return "0s" }
        let unit = Self.units.first { nanoseconds % $0.duration.wholeNanoseconds == 0 }
        return "\(nanoseconds / (unit?.duration.wholeNanoseconds ?? 1))\(unit?.name ?? "ns")"
    }
}
