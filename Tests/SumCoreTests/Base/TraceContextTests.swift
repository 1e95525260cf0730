import Testing

@testable import SumCore

@Suite struct TraceContextTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let span = "b7ad6b7169203331"

    @Test(
        "A valid traceparent is read, and written as version 00",
        arguments: [
            ("00-\(trace)-\(span)-01", 1),
            ("00-\(trace)-\(span)-00", 0),
            ("00-\(trace)-\(span)-ff", 0xff),
            // A later version may have more fields.
            ("01-\(trace)-\(span)-01", 1),
            ("cc-\(trace)-\(span)-01-what-the-future-brings", 1),
            ("fe-\(trace)-\(span)-00-", 0),
        ] as [(String, UInt8)])
    func valid(_ text: String, _ flags: UInt8) throws {
        let context = try #require(TraceContext(traceparent: text))
        #expect(context.traceIDText == Self.trace)
        #expect(context.spanIDText == Self.span)
        #expect(context.flags == flags)
        #expect(context.isSampled == (flags & 1 == 1))
        #expect(context.traceparent.dropFirst(2) == text.dropFirst(2).prefix(53))
        #expect(context.traceparent.hasPrefix("00-"))
    }

    @Test("Ids keep their leading zeros")
    func zeros() {
        let context = TraceContext(traceID: 0xa, spanID: 0xb, flags: 0xc)
        #expect(context.traceparent == "00-0000000000000000000000000000000a-000000000000000b-0c")
        #expect(TraceContext(traceparent: context.traceparent) == context)
    }

    @Test(
        "A malformed traceparent counts as none",
        arguments: [
            "", "0", "-", "00", "00-\(trace)", "00-\(trace)-\(span)", "00-\(trace)-\(span)-0",
            // Ids of zeros.
            "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
            // Upper case, other digits, other hyphens.
            "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01",
            "00-\(trace)-\(span)-0A",
            "00-\(trace.dropLast())g-\(span)-01", "0x-\(trace)-\(span)-01", "00-\(trace)-\(span)-+1",
            "00_\(trace)_\(span)_01", "00\u{2010}\(trace)-\(span)-01", "00-\(trace)-\(span)-١٢",
            // The version that there will not be, and no version.
            "ff-\(trace)-\(span)-01", "-\(trace)-\(span)-01", "0-\(trace)-\(span)-01",
            // Version 00 has four fields.
            "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01-00", "00-\(trace)-\(span)-01.",
            "00-\(trace)-\(span)-011",
            "01-\(trace)-\(span)-01x",
            // Ids that are cut or too long, and spaces.
            "00-\(trace.dropLast())-\(span)-01", "00-\(trace)0-\(span)-01", "00-\(trace)-\(span)0-01",
            " 00-\(trace)-\(span)-01", "00-\(trace)-\(span)-01 ", "00-\(trace) -\(span)-01",
            "00-\(trace)-\(span)-01, 00-\(trace)-\(span)-01",
        ])
    func malformed(_ text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test("A thousand traceparents with one byte changed are read right or not at all")
    func changed() {
        var random = SeededRandom(seed: 1)
        let valid = Array("00-\(Self.trace)-\(Self.span)-01".utf8)
        for _ in 0..<1000 {
            var bytes = valid
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            let text = String(decoding: bytes, as: UTF8.self)
            if let context = TraceContext(traceparent: text) {
                #expect(context.traceparent.dropFirst(2) == text.dropFirst(2))
            }
        }
    }
}
