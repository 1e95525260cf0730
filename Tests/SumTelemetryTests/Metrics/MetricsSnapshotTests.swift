import SumTelemetry
import Testing

@Suite struct MetricsSnapshotTests {
    @Test("Attributes are told apart by name and value")
    func attributes() {
        let attribute = MetricsSnapshot.Attribute("grpc.method", "a/b")
        #expect(attribute == .init("grpc.method", "a/b"))
        #expect(attribute != .init("grpc.status", "a/b"))
        #expect(attribute != .init("grpc.method", "a/c"))
    }
}
