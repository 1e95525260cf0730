/// A moment in a certificate, in seconds since 1970.
package struct TLSDate: Hashable, Comparable, CustomStringConvertible {
    package var seconds: Int

    package init(seconds: Int) {
        self.seconds = seconds
    }

    package static func < (left: TLSDate, right: TLSDate) -> Bool { left.seconds < right.seconds }

    /// Such as `2026-01-31T00:00:00Z`.
    package var description: String {
        let (days, second) = seconds.quotientAndRemainder(flooringBy: 86_400)
        // The calendar repeats every 400 years. A year is counted from March, so that leap days come last.
        let (era, day) = (days + 719_468).quotientAndRemainder(flooringBy: 146_097)
        let yearOfEra = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let date = "\(year)-\(Self.two(month))-\(Self.two(dayOfMonth))"
        return "\(date)T\(Self.two(second / 3600)):\(Self.two(second / 60 % 60)):\(Self.two(second % 60))Z"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension Int {
    /// Division that rounds down, so that the remainder is never negative.
    fileprivate func quotientAndRemainder(flooringBy divisor: Int) -> (quotient: Int, remainder: Int) {
        let remainder = (self % divisor + divisor) % divisor
        return ((self - remainder) / divisor, remainder)
    }
}
