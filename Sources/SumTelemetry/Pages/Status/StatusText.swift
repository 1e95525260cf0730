internal import SumCore

/// Numbers and times as people read them.
enum StatusText {
    /// Such as `1,234,567`.
    static func count(_ number: Int64) -> String {
        let digits = Array("\(number.magnitude)")
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return text
    }

    private static let scales: [(size: Double, unit: String)] = [
        (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"),
    ]

    /// Three digits, such as `0.25`, `17`, `1.25 M`.
    static func rate(_ number: Double) -> String {
        // What rounds to 1000 of a unit is one of the next.
        guard let scale = scales.first(where: { number >= $0.size * 0.9995 }), number.isFinite else {
            return number.isFinite ? digits(number) : "–"
        }
        return "\(digits(number / scale.size))\u{a0}\(scale.unit)"
    }

    private static func digits(_ number: Double) -> String {
        if number == number.rounded(), number < 1000 { return "\(Int(number))" }
        let decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0
        let factor = [1.0, 10, 100][decimals]
        let units = Int((number * factor).rounded())
        guard decimals > 0 else { return "\(units)" }
        let (whole, part) = units.quotientAndRemainder(dividingBy: Int(factor))
        return "\(whole)." + String(repeating: "0", count: decimals - "\(part)".count) + "\(part)"
    }

    /// A short time, such as `85 µs`.
    static func latency(_ seconds: Double) -> String {
        switch seconds {
        case 0: "0"
        case ..<0.9995e-3: "\(digits(seconds * 1e6))\u{a0}µs"
        case ..<0.9995: "\(digits(seconds * 1e3))\u{a0}ms"
        default: "\(digits(seconds))\u{a0}s"
        }
    }

    /// A long time, in its two largest units, such as `3 d 4 h`.
    static func age(_ seconds: Int64) -> String {
        let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
        guard let first = units.firstIndex(where: { seconds >= $0.0 }) else { return "0\u{a0}s" }
        var text = "\(seconds / units[first].0)\u{a0}\(units[first].1)"
        if first + 1 < units.count {
            let rest = seconds % units[first].0 / units[first + 1].0
            if rest > 0 { text += " \(rest)\u{a0}\(units[first + 1].1)" }
        }
        return text
    }

    /// Such as `2026-01-31 00:00:00 UTC`.
    static func date(_ seconds: Int64) -> String {
        let text = TLSDate(seconds: Int(min(max(seconds, 0), 1 << 40))).description
        return text.replacing("T", with: " ").replacing("Z", with: " UTC")
    }
}
