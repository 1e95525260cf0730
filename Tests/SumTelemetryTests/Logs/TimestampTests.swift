import Testing

@testable import SumTelemetry

@Suite struct TimestampTests {
    @Test(
        "A moment is written in UTC, with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (999_999, "1970-01-01T00:00:00.000Z"),
            (1_764_085_412_364_000_000, "2025-11-25T15:43:32.364Z"),
            (951_782_400_005_000_000, "2000-02-29T00:00:00.005Z"),
            (4_102_444_799_999_999_999, "2099-12-31T23:59:59.999Z"),
        ] as [(UInt64, String)])
    func text(_ nanoseconds: UInt64, _ expected: String) {
        #expect(Timestamp(nanoseconds: nanoseconds).text == expected)
    }

    @Test("Moments of the same second and of others are written one after the other")
    func writer() {
        var (writer, bytes) = (Timestamp.Writer(), [UInt8]())
        for milliseconds in [0, 1, 999, 1000, 1001, 999, 60_000] as [UInt64] {
            writer.append(Timestamp(nanoseconds: milliseconds * 1_000_000), to: &bytes)
            bytes.append(UInt8(ascii: "\n"))
        }
        let times = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            String($0.dropFirst(11))
        }
        #expect(
            times == [
                "00:00:00.000Z", "00:00:00.001Z", "00:00:00.999Z", "00:00:01.000Z", "00:00:01.001Z",
                "00:00:00.999Z", "00:01:00.000Z",
            ])
    }
}
