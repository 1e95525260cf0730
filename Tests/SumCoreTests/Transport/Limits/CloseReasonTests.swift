import NIOCore
import Testing

@testable import SumCore

@Suite struct CloseReasonTests {
    private typealias Row = (
        reason: CloseReason, fault: CloseReason.Fault, code: HTTP2ErrorCode, debug: String
    )

    private static let rows: [Row] = [
        (.pings, .limit, .enhanceYourCalm, "too_many_pings"),
        (.overhead, .limit, .enhanceYourCalm, "too_many_frames_without_data"),
        (.resets, .limit, .enhanceYourCalm, "too_many_resets"),
        (.decompression, .limit, .enhanceYourCalm, "too_much_decompressed"),
        (.headerBlock, .limit, .enhanceYourCalm, "header_block_too_long"),
        (.unread, .limit, .enhanceYourCalm, "too_many_unread_answers"),
        (.stalled, .limit, .enhanceYourCalm, "stalled"),
        (.slowHeaders, .limit, .enhanceYourCalm, "header_block_not_ended"),
        (.settingsTimeout, .limit, .settingsTimeout, "settings_timeout"),
        (.violation(.headersAfterEnd), .violation, .streamClosed, "HEADERS: stream closed"),
        (.violation(.skippedStream), .violation, .protocolError, "HEADERS: stream lower than the last"),
        (.violation(.priorityWithoutStream), .violation, .protocolError, "PRIORITY: stream_id == 0"),
        (.violation(.frameSizeError, "PING: wrong size"), .violation, .frameSizeError, "PING: wrong size"),
        (.violation(NGHTTP2Error.outOfMemory), .violation, .protocolError, ""),
        (
            .invalidPreface(InvalidPreface(ByteBuffer(string: "GET / HTTP/1.1"))), .invalidPreface,
            .protocolError, ""
        ),
        (
            .invalidPreface(InvalidPreface(ByteBuffer(bytes: [0x16, 3, 1]))), .tls,
            .protocolError, ""
        ),
        (.tls("the client has shown no certificate"), .tls, .noError, ""),
        (.tlsInterrupted("the TLS handshake did not end in time"), .tlsInterrupted, .noError, ""),
        (.silence, .circumstances, .noError, ""),
        (.prefaceTimeout, .circumstances, .noError, ""),
        (.age, .circumstances, .noError, ""),
        (.circumstances("Connection reset by peer"), .circumstances, .noError, ""),
        (.ourselves("the client is being closed"), .ourselves, .noError, ""),
    ]

    @Test("Each reason has its fault, and its code and debug data for GOAWAY", arguments: rows.indices)
    func table(_ index: Int) {
        let row = Self.rows[index]
        #expect(row.reason.fault == row.fault)
        #expect(row.reason.code == row.code)
        #expect(row.reason.debug == row.debug)
        #expect(row.reason.isPeersFault == [.limit, .violation, .tls].contains(row.fault))
        #expect(row.reason.exceededLimit == (row.fault == .limit ? row.debug : nil))
        #expect(!row.reason.description.isEmpty)
        // A line of a log, and a word for programs.
        #expect(row.reason.description.escapedForDisplay == row.reason.description)
        #expect(row.fault != .limit || row.debug.allSatisfy { $0 == "_" || ("a"..."z").contains($0) })
    }

    @Test("No two have the same words")
    func words() {
        #expect(Set(Self.rows.map(\.reason.description)).count == Self.rows.count)
    }

    @Test(
        "A violation is told in the words of RFC 9113, and of whoever found it",
        arguments: [
            (.violation(.protocolError, ""), "the other side broke a rule of HTTP/2: PROTOCOL_ERROR"),
            (
                .violation(.compressionError, "HPACK"),
                "the other side broke a rule of HTTP/2: COMPRESSION_ERROR, HPACK"
            ),
            (
                .violation(.headersAfterEnd),
                "the other side broke a rule of HTTP/2: STREAM_CLOSED, HEADERS: stream closed"
            ),
        ] as [(CloseReason, String)])
    func violation(_ reason: CloseReason, _ words: String) {
        #expect("\(reason)" == words)
    }
}
