import Testing

@testable import SumTelemetry

@Suite struct StatusTextTests {
    @Test(
        "Counts have commas",
        arguments: [
            (0, "0"), (999, "999"), (1000, "1,000"), (-1000, "-1,000"), (1_234_567, "1,234,567"),
            (Int64.max, "9,223,372,036,854,775,807"), (Int64.min, "-9,223,372,036,854,775,808"),
        ])
    func counts(_ number: Int64, text: String) {
        #expect(StatusText.count(number) == text)
    }

    @Test(
        "Rates have three digits",
        arguments: [
            (0, "0"), (0.254, "0.25"), (1, "1"), (9.994, "9.99"), (9.996, "10.0"), (17.05, "17.1"),
            (99.96, "100"),
            (999.4, "999"), (999.6, "1.00\u{a0}k"), (1234, "1.23\u{a0}k"), (20_000_000, "20\u{a0}M"),
            (1.5e9, "1.50\u{a0}G"), (4e15, "4000\u{a0}T"), (.infinity, "–"), (.nan, "–"),
        ])
    func rates(_ number: Double, text: String) {
        #expect(StatusText.rate(number) == text)
    }

    @Test(
        "Latencies have a fitting unit",
        arguments: [
            (0, "0"), (85e-6, "85\u{a0}µs"), (0.000_999_6, "1.00\u{a0}ms"), (0.0123, "12.3\u{a0}ms"),
            (0.9996, "1.00\u{a0}s"), (75, "75\u{a0}s"),
        ])
    func latencies(_ seconds: Double, text: String) {
        #expect(StatusText.latency(seconds) == text)
    }

    @Test(
        "Ages have two units",
        arguments: [
            (-5, "0\u{a0}s"), (0, "0\u{a0}s"), (59, "59\u{a0}s"), (60, "1\u{a0}min"),
            (3725, "1\u{a0}h 2\u{a0}min"),
            (90_000, "1\u{a0}d 1\u{a0}h"), (86_400 * 800 + 59, "800\u{a0}d"),
        ])
    func ages(_ seconds: Int64, text: String) {
        #expect(StatusText.age(seconds) == text)
    }

    @Test("Dates")
    func dates() {
        #expect(StatusText.date(1_769_817_600) == "2026-01-31 00:00:00 UTC")
        #expect(StatusText.date(-1) == "1970-01-01 00:00:00 UTC")
        #expect(!StatusText.date(.max).isEmpty)
    }
}
