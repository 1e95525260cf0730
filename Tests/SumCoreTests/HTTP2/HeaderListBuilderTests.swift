import Testing

@testable import SumCore

@Suite struct HeaderListBuilderTests {
    private static let earlier = [HTTP2Field("a", "1"), HTTP2Field("b", "long enough"), HTTP2Field("c", "")]

    private func block(_ fields: [HTTP2Field], maxSize: Int = 8192, maxCount: Int = 100)
        -> HeaderListBuilder
    {
        var block = HeaderListBuilder(after: KnownBlock(fields: Self.earlier))
        for field in fields {
            Array(field.name.utf8).withUnsafeBufferPointer { name in
                Array(field.value.utf8).withUnsafeBufferPointer { value in
                    _ = block.add(
                        name: name, value: value, maxSize: maxSize, maxCount: maxCount)
                }
            }
        }
        return block
    }

    /// - Returns: nil when the fields exceed a limit.
    private func add(_ fields: [HTTP2Field], maxSize: Int = 8192, maxCount: Int = 100)
        -> [HTTP2Field]?
    {
        let block = block(fields, maxSize: maxSize, maxCount: maxCount)
        return block.isTooLong ? nil : block.fields
    }

    @Test("audit-P4: white space around a value is not part of it")
    func whiteSpace() {
        for (value, expected) in [
            (" a", "a"), ("a ", "a"), ("\t a b \t", "a b"), (" ", ""), ("\t \t", ""), ("", ""),
        ] {
            #expect(add([HTTP2Field("a", value)]) == [HTTP2Field("a", expected)])
        }
        #expect(add([HTTP2Field(":status", "200 ")]) == [HTTP2Field(":status", "200 ")])
        // The same as the field before it, but for the space.
        #expect(add([HTTP2Field("a", "1 ")]) == [HTTP2Field("a", "1")])
    }

    @Test("audit-P5: of a list that is too long the beginning and short fields are kept")
    func cut() {
        let long = String(repeating: "v", count: 9000)
        let block = block([
            HTTP2Field("a", "1"), HTTP2Field("m", long), HTTP2Field("n", long), HTTP2Field("s", "8"),
        ])
        #expect(block.isTooLong)
        #expect(
            block.fields == [
                HTTP2Field("a", "1"), HTTP2Field("m", String(long.prefix(256))), HTTP2Field("s", "8"),
            ]
        )
        #expect(block.length == 4)
        #expect(block.size == 4 * 33 + 2 + 2 * 9000)
    }

    @Test(
        "A block has the fields that arrived, whatever the previous block had",
        arguments: [
            [], earlier, Array(earlier.prefix(1)), Array(earlier.dropFirst()),
            earlier + [HTTP2Field("d", "4")],
            [HTTP2Field("a", "1"), HTTP2Field("b", "long enougj"), HTTP2Field("c", "")],
            [HTTP2Field("x", "1"), HTTP2Field("b", "long enough"), HTTP2Field("c", "3")],
            earlier.reversed(), earlier + earlier,
        ])
    func fields(_ fields: [HTTP2Field]) {
        #expect(add(fields) == fields)
    }

    @Test("The limits count repeated and new fields alike")
    func limits() {
        let fields = Self.earlier + [HTTP2Field("d", "4")]
        #expect(add(fields, maxCount: 4) == fields)
        #expect(add(fields, maxCount: 3) == nil)
        #expect(add(Self.earlier, maxCount: 2) == nil)
        #expect(add(fields, maxSize: fields.listSize) == fields)
        #expect(add(fields, maxSize: fields.listSize - 1) == nil)
        #expect(add(Self.earlier, maxSize: Self.earlier.listSize - 1) == nil)
    }
}
