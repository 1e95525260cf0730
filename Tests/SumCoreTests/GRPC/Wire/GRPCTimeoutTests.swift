import Testing

@testable import SumCore

@Suite struct GRPCTimeoutTests {
    @Test(
        "grpc-R5: the finest unit that fits eight digits",
        arguments: [
            (.nanoseconds(1), "1n"), (.milliseconds(99), "99000000n"), (.seconds(1), "1000000u"),
            (.seconds(100), "100000m"), (.seconds(100_000), "100000S"),
            (.seconds(3600 * 24 * 365 * 10), "5256000M"),
            (.seconds(3600 * 24 * 365 * 1000), "2562048H"), (.seconds(Int64.max), "2562048H"),
            (Duration.nanoseconds(1) / 2, "1n"), (.zero, "0n"), (.seconds(-5), "0n"),
        ] as [(Duration, String)])
    func encode(_ timeout: Duration, _ text: String) {
        #expect(GRPCTimeout.encode(timeout) == text)
    }

    @Test(
        "grpc-S13, abuse-D2: valid timeouts",
        arguments: [
            ("1n", .nanoseconds(1)), ("5u", .microseconds(5)), ("100m", .milliseconds(100)),
            ("1S", .seconds(1)),
            ("2M", .seconds(120)), ("3H", .seconds(10800)), ("0m", .zero),
            ("99999999H", .seconds(99_999_999 * 3600)),
        ] as [(String, Duration)])
    func decode(_ text: String, _ timeout: Duration) {
        #expect(GRPCTimeout.decode(text) == timeout)
    }

    @Test(
        "grpc-S12, abuse-D2: malformed timeouts",
        arguments: ["", "1", "S", "100000000S", "-1S", "+1S", "5x", "1.5S", "1 S", "1SS", "１S"])
    func malformed(_ text: String) {
        #expect(GRPCTimeout.decode(text) == nil)
    }
}
