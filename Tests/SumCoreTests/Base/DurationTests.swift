import Testing

@testable import SumCore

@Suite struct DurationTests {
    @Test(
        "Durations",
        arguments: [
            ("1s", .seconds(1)), ("250ms", .milliseconds(250)), ("1.5m", .seconds(90)),
            ("2h", .seconds(7200)), ("0s", .zero),
            ("1h30m", .seconds(5400)), ("1m1.5s", .milliseconds(61_500)), ("3us", .microseconds(3)),
            ("100ns", .nanoseconds(100)), ("0.1s", .milliseconds(100)), ("1.s", .seconds(1)),
            ("1000000h", .seconds(3_600_000_000)), ("1000000h1ns", nil), ("1h30", nil), ("1hm", nil),
            ("1d", nil),
            ("99999999999999999999ns", nil), ("0.00000000000000000000000001h", .zero), ("1s-1s", nil),
            ("1", nil), ("s", nil), ("-1s", nil), (".5s", nil), ("1e3s", nil), ("1..5s", nil),
            ("9999999h", nil), ("1 s", nil),
        ] as [(String, Duration?)])
    func durations(_ text: String, _ duration: Duration?) {
        #expect((try? Duration(text: text)) == duration)
    }

    @Test(
        "audit-C6: durations are formatted as they are parsed",
        arguments: ["0s", "1ns", "1500us", "250ms", "90s", "2h", "61m", "1000000h"])
    func durationText(_ text: String) throws {
        #expect(try Duration(text: text).text == text)
    }

    @Test(
        "audit-C6: an invalid duration is reported with what would be valid",
        arguments: [
            ("5", "a duration is a number with a unit, such as 500ms, 1.5s or 1h30m"),
            ("", "a duration is a number with a unit, such as 500ms, 1.5s or 1h30m"),
            ("-1s", "a duration cannot be negative"), ("1000001h", "a duration is at most 1000000h"),
        ])
    func wrongDurations(_ text: String, _ reason: String) {
        let error = #expect(throws: InvalidDuration.self) { try Duration(text: text) }
        #expect(error?.description == reason)
    }

    @Test("The longest timeout does not overflow a timer")
    func clamped() {
        #expect(Duration.seconds(99_999_999 * 3600).wholeNanoseconds == Int64.max)
        #expect(Duration.seconds(-1).wholeNanoseconds == 0)
        #expect(Duration.milliseconds(1500).wholeNanoseconds == 1_500_000_000)
    }
}
