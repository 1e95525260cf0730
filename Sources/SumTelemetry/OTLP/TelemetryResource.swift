internal import Glibc
internal import SumCore

/// The process that metrics and spans are about ("resource" in OpenTelemetry).
public struct TelemetryResource: Equatable, Sendable {
    /// Names and values in OpenTelemetry's form. No name occurs twice.
    public private(set) var attributes: [FinishedSpan.Attribute]

    /// Describes this process.
    ///
    /// - Parameters:
    ///   - name: the name of the program, unless the environment names it.
    ///   - variables: OTEL_SERVICE_NAME, and OTEL_RESOURCE_ATTRIBUTES, whose values take precedence over what is found out
    ///     here. What is wrong with them becomes a warning.
    public init(ofProgram name: String, _ variables: inout OpenTelemetryVariables) {
        attributes = [
            .init("service.name", .string(name)),
            .init("service.version", .string(Version.current)),
            .init("service.instance.id", .string(Self.randomUUID())),
            .init("process.pid", .integer(Int64(getpid()))),
        ]
        if let host = Self.hostName() { attributes.append(.init("host.name", .string(host))) }
        for (name, value) in variables.list("OTEL_RESOURCE_ATTRIBUTES") ?? [] { set(name, .string(value)) }
        if let name = variables.text("OTEL_SERVICE_NAME") { set("service.name", .string(name)) }
        set("telemetry.sdk.name", .string("grpc-swift-sum"))
        set("telemetry.sdk.language", .string("swift"))
        set("telemetry.sdk.version", .string(Version.current))
    }

    private mutating func set(_ name: String, _ value: FinishedSpan.Attribute.Value) {
        attributes.removeAll { $0.name == name }
        attributes.append(.init(name, value))
    }

    private static func hostName() -> String? {
        var system = utsname()
        // Sound because uname(2) writes only to the structure, whose `nodename` ends with NUL within its bounds.
        guard unsafe uname(&system) == 0 else { return nil }
        let name = unsafe withUnsafeBytes(of: &system.nodename) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return name.isEmpty ? nil : name
    }

    /// A UUID of version 4 (RFC 9562 section 5.4).
    private static func randomUUID() -> String {
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return text
    }
}
