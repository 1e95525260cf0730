import Testing

@testable import SumCore

@Suite struct GRPCTimeoutTests {
    @Test(
        "grpc-R5: the finest unit that holds it in eight digits",
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

    @Test("A timer can hold the longest timeout there is")
    func clamped() {
        #expect(Duration.seconds(99_999_999 * 3600).wholeNanoseconds == Int64.max)
        #expect(Duration.seconds(-1).wholeNanoseconds == 0)
        #expect(Duration.milliseconds(1500).wholeNanoseconds == 1_500_000_000)
    }
}

@Suite struct PercentEncodingTests {
    @Test(
        "grpc-A3, abuse-G18, audit-P4: messages survive the wire, spaces at their ends too",
        arguments: [
            ("plain text", "plain text"), ("100%", "100%25"), ("line\r\nbreak", "line%0D%0Abreak"),
            ("é", "%C3%A9"),
            ("", ""), ("~ !", "~ !"), ("\u{7f}", "%7F"), ("a b ", "a b%20"), ("  a", "%20 a"), (" ", "%20"),
        ] as [(String, String)])
    func roundTrip(_ text: String, _ encoded: String) {
        #expect(PercentEncoding.encode(text) == encoded)
        #expect(PercentEncoding.decode(encoded) == text)
    }

    @Test(
        "grpc-A16: what cannot be decoded is shown as it is",
        arguments: [
            ("100%", "100%"), ("%4", "%4"), ("%zz", "%zz"), ("%c3%a9", "é"), ("%FF", "\u{fffd}"),
        ] as [(String, String)])
    func lenient(_ encoded: String, _ text: String) {
        #expect(PercentEncoding.decode(encoded) == text)
    }
}

@Suite struct EscapingTests {
    @Test(
        "abuse-K18: nothing a peer wrote can move a terminal",
        arguments: [
            ("a b é", "a b é"), ("\u{1b}[2J", "\\u{1B}[2J"), ("a\nb", "a\\nb"), ("\u{202e}x", "\\u{202E}x"),
            ("\u{9b}m", "\\u{009B}m"),
        ] as [(String, String)])
    func escaped(_ text: String, _ shown: String) {
        #expect(text.escapedForDisplay == shown)
    }

    @Test("abuse-K18: what is shown of a peer's text is cut after 256 characters")
    func cut() {
        #expect(
            String(repeating: "a", count: 257).escapedForDisplay == String(repeating: "a", count: 256)
                + "...")
        #expect(String(repeating: "a", count: 256).escapedForDisplay.count == 256)
    }
}

@Suite struct GRPCStatusTests {
    @Test(
        "grpc-A12, abuse-K9: grpc-status as it may come",
        arguments: [
            ("0", 0), ("5", 5), ("16", 16), ("17", 17), ("abc", 2), ("-1", 2), ("99999999999", 2), ("", 2),
        ] as [(String, Int)])
    func received(_ text: String, _ code: Int) {
        #expect(GRPCStatus(trailers: [HTTP2Field("grpc-status", text)])?.code.rawValue == code)
    }

    @Test("Trailers without a grpc-status have no status")
    func absent() {
        #expect(GRPCStatus(trailers: [HTTP2Field("grpc-message", "x")]) == nil)
    }

    @Test(
        "grpc-A9, abuse-K6: HTTP statuses",
        arguments: [
            ("400", .internalError), ("401", .unauthenticated), ("403", .permissionDenied),
            ("404", .unimplemented),
            ("429", .unavailable), ("502", .unavailable), ("503", .unavailable), ("504", .unavailable),
            ("200", .unknown),
            ("415", .unknown), ("431", .unknown), ("505", .unknown),
        ] as [(String, GRPCStatus.Code)])
    func httpStatus(_ text: String, _ code: GRPCStatus.Code) {
        let status = GRPCStatus(httpStatus: text, contentType: "text/html")
        #expect(status.code == code)
        #expect(status.message.contains(text) && status.message.contains("text/html"))
    }

    @Test(
        "grpc-A7: what RST_STREAM means",
        arguments: [
            (.noError, .internalError), (.protocolError, .internalError), (.internalError, .internalError),
            (.flowControlError, .internalError), (.settingsTimeout, .internalError),
            (.frameSizeError, .internalError),
            (.refusedStream, .unavailable), (.cancel, .cancelled), (.compressionError, .internalError),
            (.connectError, .internalError),
            (.enhanceYourCalm, .resourceExhausted), (.inadequateSecurity, .permissionDenied),
        ] as [(HTTP2ErrorCode, GRPCStatus.Code)])
    func streamReset(_ reset: HTTP2ErrorCode, _ code: GRPCStatus.Code) {
        #expect(GRPCStatus.Code(streamReset: reset) == code)
    }

    @Test("A status and an error code are shown by name, or by number if they have none")
    func descriptions() {
        #expect("\(GRPCStatus(code: .outOfRange, message: "too\u{7} big"))" == "OUT_OF_RANGE: too\\u{07} big")
        #expect("\(GRPCStatus(code: .init(rawValue: 42)))" == "code 42")
        #expect(
            "\(HTTP2ErrorCode.refusedStream), \(HTTP2ErrorCode(rawValue: 99))"
                == "REFUSED_STREAM, error code 99")
    }
}

@Suite struct GRPCMetadataTests {
    @Test("grpc-R10: valid keys and values; -bin goes out unpadded")
    func valid() throws {
        var metadata = GRPCMetadata()
        try metadata.add("X-Trace.id_1", " a b~  ")
        try metadata.add("x-trace.id_1", "")
        try metadata.add("data-bin", "aGk=")
        try metadata.add("data-bin", "aGk")
        #expect(metadata["x-trace.id_1"] == ["a b~", ""])
        #expect(metadata["data-bin"] == ["aGk", "aGk"])
        #expect(metadata.fields.map(\.key) == ["x-trace.id_1", "x-trace.id_1", "data-bin", "data-bin"])
    }

    @Test(
        "grpc-R10: refused",
        arguments: [
            ("", "v"), ("a b", "v"), ("ä", "v"), (":path", "v"), ("grpc-timeout", "1S"), ("te", "x"),
            ("content-type", "x"),
            ("k", "é"), ("k", "a\nb"), ("k-bin", "a"), ("k-bin", "a==="), ("k-bin", "aGk=="),
            ("k-bin", "a=Gk"), ("k-bin", "*"),
        ] as [(String, String)])
    func refused(_ key: String, _ value: String) {
        var metadata = GRPCMetadata()
        #expect(throws: GRPCMetadata.InvalidField.self) { try metadata.add(key, value) }
    }
}
