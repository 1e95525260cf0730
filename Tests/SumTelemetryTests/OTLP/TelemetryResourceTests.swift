import Foundation
import Testing

@testable import SumCore
@testable import SumTelemetry

@Suite struct TelemetryResourceTests {
    private static func resource(_ environment: [String: String]) -> (TelemetryResource, [String]) {
        var variables = OpenTelemetryVariables { environment[$0] }
        let resource = TelemetryResource(ofProgram: "sum-server", &variables)
        return (resource, variables.warnings)
    }

    private static func value(_ name: String, of resource: TelemetryResource) -> FinishedSpan.Attribute.Value?
    {
        let values = resource.attributes.filter { $0.name == name }
        #expect(values.count <= 1)
        return values.first?.value
    }

    @Test("A resource describes the process")
    func process() throws {
        let (resource, warnings) = Self.resource([:])
        #expect(warnings == [])
        #expect(Self.value("service.name", of: resource) == .string("sum-server"))
        #expect(Self.value("service.version", of: resource) == .string(Version.current))
        #expect(Self.value("process.pid", of: resource) == .integer(Int64(getpid())))
        #expect(
            Self.value("host.name", of: resource)
                == .string(
                    String(
                        decoding: try Data(contentsOf: URL(filePath: "/proc/sys/kernel/hostname")).dropLast(),
                        as: UTF8.self)))
        #expect(Self.value("telemetry.sdk.language", of: resource) == .string("swift"))
        guard case .string(let id)? = Self.value("service.instance.id", of: resource) else {
            Issue.record("no id")
            return
        }
        #expect(UUID(uuidString: id) != nil)
        let (other, _) = Self.resource([:])
        #expect(Self.value("service.instance.id", of: other) != .string(id))
    }

    @Test("The environment has the last word, except about what exports")
    func environment() {
        let (resource, _) = Self.resource([
            "OTEL_SERVICE_NAME": "adder",
            "OTEL_RESOURCE_ATTRIBUTES":
                "service.name=other,host.name=h%2C1,deployment.environment.name=test,telemetry.sdk.language=go",
        ])
        #expect(Self.value("service.name", of: resource) == .string("adder"))
        #expect(Self.value("host.name", of: resource) == .string("h,1"))
        #expect(Self.value("deployment.environment.name", of: resource) == .string("test"))
        #expect(Self.value("telemetry.sdk.language", of: resource) == .string("swift"))
        let (named, _) = Self.resource(["OTEL_RESOURCE_ATTRIBUTES": "service.name=other"])
        #expect(Self.value("service.name", of: named) == .string("other"))
    }

    @Test("Attributes that cannot be read are left out as a whole")
    func invalid() {
        let (resource, warnings) = Self.resource(["OTEL_RESOURCE_ATTRIBUTES": "a=b,c"])
        #expect(Self.value("a", of: resource) == nil)
        #expect(
            warnings == ["OTEL_RESOURCE_ATTRIBUTES is ignored: member 2 of the list is not 'name=value'"])
    }
}
