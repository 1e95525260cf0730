/// Numbers as Go prints them with the verb `g` and as few digits as possible, which is how Prometheus and its Go client
/// write them. Prometheus 2 compares bounds as text, so `1.0` beside the `1` of another program would be another series.
enum PrometheusNumber {
    static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        let sign = number.sign == .minus ? "-" : ""
        if number == 0 { return "\(sign)0" }
        let (digits, exponent) = decimal(number.magnitude)
        if (-4..<0).contains(exponent) {
            return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits
        }
        guard (0..<6).contains(exponent) else { return sign + scientific(digits, exponent) }
        guard digits.count > exponent + 1 else {
            return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count)
        }
        return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
    }

    /// With a point or an exponent, as OpenMetrics wants the bounds of buckets.
    static func openMetricsText(_ number: Double) -> String {
        let text = text(number)
        return text.contains { ".eIN".contains($0) } ? text : "\(text).0"
    }

    private static func scientific(_ digits: String, _ exponent: Int) -> String {
        let power = "\(exponent.magnitude)"
        let fraction = digits.count > 1 ? ".\(digits.dropFirst())" : ""
        return
            "\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(power.count < 2 ? "0" : "")\(power)"
    }

    /// The digits of a positive number, without zeros at the ends, and the power of ten of the first. Swift's
    /// description has as few digits as identify the number.
    private static func decimal(_ number: Double) -> (digits: String, exponent: Int) {
        let parts = "\(number)".split(separator: "e", maxSplits: 1)
        let mantissa = parts[0].split(separator: ".", maxSplits: 1)
        let whole = mantissa[0]
        let all = whole + (mantissa.count > 1 ? mantissa[1] : "")
        let leadingZeros = all.prefix { $0 == "0" }.count
        var digits = all.dropFirst(leadingZeros)
        while digits.last == "0" { digits.removeLast() }
        let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        return (String(digits), power + whole.count - 1 - leadingZeros)
    }
}
