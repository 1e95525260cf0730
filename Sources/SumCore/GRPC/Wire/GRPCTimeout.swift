/// The value of the `grpc-timeout` header: 1 to 8 digits and a unit (grpc/doc/PROTOCOL-HTTP2.md, "Requests").
enum GRPCTimeout {
    private struct Unit {
        var symbol: Character
        var nanoseconds: Int64
    }

    /// From the finest unit to the coarsest.
    private static let units = [
        Unit(symbol: "n", nanoseconds: 1),
        Unit(symbol: "u", nanoseconds: 1_000),
        Unit(symbol: "m", nanoseconds: 1_000_000),
        Unit(symbol: "S", nanoseconds: 1_000_000_000),
        Unit(symbol: "M", nanoseconds: 60_000_000_000),
        Unit(symbol: "H", nanoseconds: 3_600_000_000_000),
    ]
    private static let maxDigits = 8
    private static let maxValue: Int64 = 99_999_999

    /// Parses a timeout. The longest valid one, 99999999H, is about 11,400 years.
    ///
    /// - Returns: nil if `text` is malformed.
    static func decode(_ text: String) -> Duration? {
        guard let symbol = text.last, let unit = units.first(where: { $0.symbol == symbol }) else {
            return nil
        }
        let digits = text.utf8.dropLast()
        guard (1...maxDigits).contains(digits.count),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int64(Substring(digits))
        else { return nil }
        return .nanoseconds(unit.nanoseconds) * value
    }

    /// Encodes a timeout in the finest unit that fits, rounded up, so that a positive timeout never becomes 0.
    static func encode(_ timeout: Duration) -> String {
        let nanoseconds = timeout.wholeNanoseconds
        for unit in units {
            let value = nanoseconds / unit.nanoseconds + (nanoseconds % unit.nanoseconds == 0 ? 0 : 1)
            if value <= maxValue { return "\(value)\(unit.symbol)" }
        }
        return "\(maxValue)H"
    }
}
