extension Duration {
    /// The duration in nanoseconds, rounded up and clamped to the range from 0 to `Int64.max`, about 292 years.
    package var wholeNanoseconds: Int64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (total, carries) = product.addingReportingOverflow((attoseconds + 999_999_999) / 1_000_000_000)
        return overflows || carries ? .max : total
    }
}
