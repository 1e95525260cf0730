extension Duration {
    /// The duration in nanoseconds, rounded up and clamped to the range from 0 to `Int64.max`, about 292 years.
    package var wholeNanoseconds: Int64 {
        // 18 seconds: a division of 64 bits costs a fraction of one of 128 bits.
        if let attoseconds = UInt64(exactly: attoseconds) {
            let (whole, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
            return Int64(whole) + (rest == 0 ? 0 : 1)
        }
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (total, carries) = product.addingReportingOverflow((attoseconds + 999_999_999) / 1_000_000_000)
        return overflows || carries ? .max : total
    }
}
