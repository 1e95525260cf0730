import Testing

@testable import SumCore

@Suite struct HeaderBlockTests {
    private static let earlier = [HTTP2Field("a", "1"), HTTP2Field("b", "long enough"), HTTP2Field("c", "")]

    private func add(_ fields: [HTTP2Field], maximumSize: Int = 8192, maximumCount: Int = 100)
        -> [HTTP2Field]?
    {
        var block = HeaderBlock(after: Self.earlier)
        for field in fields {
            let isAccepted = Array(field.name.utf8).withUnsafeBufferPointer { name in
                Array(field.value.utf8).withUnsafeBufferPointer { value in
                    block.add(name: name, value: value, maximumSize: maximumSize, maximumCount: maximumCount)
                }
            }
            guard isAccepted else { return nil }
        }
        return block.fields
    }

    @Test(
        "A block has the fields that came, whatever the one before it had",
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

    @Test("The limits count fields that are repeated and fields that are not")
    func limits() {
        let fields = Self.earlier + [HTTP2Field("d", "4")]
        #expect(add(fields, maximumCount: 4) == fields)
        #expect(add(fields, maximumCount: 3) == nil)
        #expect(add(Self.earlier, maximumCount: 2) == nil)
        #expect(add(fields, maximumSize: fields.listSize) == fields)
        #expect(add(fields, maximumSize: fields.listSize - 1) == nil)
        #expect(add(Self.earlier, maximumSize: Self.earlier.listSize - 1) == nil)
    }
}
