import Testing

@testable import SumCore

@Suite struct GRPCMetadataTests {
    @Test("grpc-R10: valid keys and values; -bin values are sent without padding")
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
        "grpc-R10: invalid keys and values",
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
