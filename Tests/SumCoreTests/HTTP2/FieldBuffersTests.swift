import NIOCore
import Testing

@testable import SumCore

@Suite struct FieldBuffersTests {
    /// Fields of which some are in HPACK's tables, some come into them, and some never do (`:path`, secrets).
    private static func fields(_ random: inout SeededRandom) -> [HTTP2Field] {
        var fields = Sample.request
        if Bool.random(using: &random) {
            fields = fields.map { $0.name == ":path" ? HTTP2Field(":path", "/a/\(random.next() % 3)") : $0 }
        }
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            // Few values, so that they come again, and long ones, which drive others out of the table.
            let number = Int.random(in: 0..<6, using: &random)
            let value = String(repeating: "v", count: number == 0 ? 1500 : number) + "\(number)"
            fields.append(
                HTTP2Field(["x-a", "x-b", "authorization"].randomElement(using: &random) ?? "", value))
        }
        return fields
    }

    @Test("Whatever the fields before it were, a block has the fields that were sent", arguments: 0..<8)
    func recognition(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var pair = try SessionPair()
        var last: [HTTP2Field] = []
        for _ in 0..<200 {
            let fields = Int.random(in: 0..<3, using: &random) == 0 ? last : Self.fields(&random)
            let sent = fields.isEmpty ? Sample.request : fields
            let stream = try pair.client.submitRequest(sent, body: FixedBody([]))
            try pair.exchange()
            #expect(pair.serverEvents.headers(of: stream) == [sent])
            try pair.server.submitResponse(
                Sample.response, body: FixedBody([], end: .finished(trailers: Sample.ok)), on: stream)
            try pair.exchange()
            #expect(pair.clientEvents.headers(of: stream) == [Sample.response, Sample.ok])
            pair.forgetEvents()
            last = sent
        }
    }

    @Test("The buffers are recognized by their addresses, in their places only")
    func places() throws {
        var pair = try SessionPair()
        for _ in 0..<2 {
            _ = try pair.client.submitRequest(Sample.request, body: FixedBody([]))
            try pair.exchange()
        }
        let known = try #require(pair.server.earlierHeaders)
        #expect(known.fields == Sample.request)
        var block = HeaderListBuilder(after: known)
        let other = try #require(OpaquePointer(bitPattern: 8))
        let isRepeated = block.addRepeated(name: other, value: other)
        #expect(!isRepeated)
        #expect(block.fields.isEmpty)
        #expect(block.size == 0)
    }
}
