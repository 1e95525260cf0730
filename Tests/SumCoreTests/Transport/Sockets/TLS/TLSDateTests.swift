import Testing

@testable import SumCore

@Suite struct TLSDateTests {
    @Test(
        "A moment is written as date(1) writes it",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"), (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_740_787_199, "2025-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"), (1_795_679_613, "2026-11-26T07:53:33Z"),
        ])
    func text(_ seconds: Int, _ text: String) {
        #expect(TLSDate(seconds: seconds).description == text)
    }
}
