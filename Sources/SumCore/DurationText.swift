extension Duration {
    /// Reads a duration as people write it: a decimal number and `ms`, `s`, `m` or `h`, such as `1.5s`.
    ///
    /// - Returns: nil for anything else, and for more than a million hours.
    public init?(text: String) {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let units = ["ms": 0.001, "s": 1, "m": 60, "h": 3600]
        guard let unit = units[String(text.dropFirst(number.count))], let first = number.first, first != ".",
            let value = Double(number), value * unit <= 3.6e9
        else { return nil }
        self = .seconds(value * unit)
    }
}
