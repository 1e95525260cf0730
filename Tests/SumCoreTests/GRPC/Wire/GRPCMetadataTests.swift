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

    static let invalid: [(String, String)] = [
        ("", "v"), ("a b", "v"), ("ä", "v"), (":path", "v"), ("grpc-timeout", "1S"), ("te", "x"),
        ("content-type", "x"),
        ("k", "é"), ("k", "a\nb"), ("k-bin", "a"), ("k-bin", "a==="), ("k-bin", "aGk=="),
        ("k-bin", "a=Gk"), ("k-bin", "*"),
    ]

    @Test("grpc-R10: invalid keys and values", arguments: invalid)
    func refused(_ key: String, _ value: String) {
        var metadata: GRPCMetadata = ["k": "kept"]
        #expect(throws: GRPCMetadata.InvalidField.self) { try metadata.add(key, value) }
        #expect(throws: GRPCMetadata.InvalidField.self) { try metadata.set(key, value) }
        #expect(metadata == ["k": "kept"])
    }

    @Test("grpc-R10: a literal and an assignment tell later what is invalid", arguments: invalid)
    func toldLater(_ key: String, _ value: String) throws {
        var metadata = GRPCMetadata()
        let error = #expect(throws: GRPCMetadata.InvalidField.self) { try metadata.add(key, value) }
        metadata = [key: value, "a": "1"]
        #expect(metadata.invalidField == error)
        #expect(metadata["a"] == ["1"])
        #expect(metadata.refusal?.code == .internalError)
        metadata = ["a": "1"]
        metadata[key] = ["fine", value]
        #expect(metadata.invalidField != nil)
    }

    @Test("A literal keeps the order and repeated keys")
    func literal() {
        let metadata: GRPCMetadata = ["B": "1", "a": "2", "b": " 3 "]
        #expect(metadata.fields.map(\.key) == ["b", "a", "b"])
        #expect(metadata["b"] == ["1", "3"])
        #expect(metadata.invalidField == nil)
        #expect(GRPCMetadata() == [:])
    }

    @Test("Keys are found, set and removed in upper and lower case")
    func replaced() throws {
        var metadata: GRPCMetadata = ["a": "1", "b": "2", "a": "3"]
        try metadata.set("A", "4")
        #expect(metadata == ["b": "2", "a": "4"])
        metadata["B"] = ["5", "6"]
        #expect(metadata["b"] == ["5", "6"])
        #expect(metadata["B"] == ["5", "6"])
        metadata.remove("A")
        metadata["b"] = []
        #expect(metadata == [:])
    }
}
