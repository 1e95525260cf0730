/// Names of OpenTelemetry as Prometheus writes them (OpenTelemetry specification, "Prometheus and OpenMetrics
/// Compatibility").
enum PrometheusName {
    /// Such as `grpc_server_call_duration_seconds`; for a counter without the `_total` that its samples have.
    static func family(_ name: String, unit: String, kind: MetricsSnapshot.Kind) -> String {
        var result = collapsed(name) { $0 == "_" || $0 == ":" || $0.isLetter || $0.isNumber }
        if case .counter = kind, result.hasSuffix("_total") { result.removeLast("_total".count) }
        let unit = word(for: unit, kind: kind)
        if !unit.isEmpty, result != unit, !result.hasSuffix("_\(unit)") { result += "_\(unit)" }
        return result
    }

    /// Such as `grpc_method`.
    static func label(_ name: String) -> String {
        collapsed(name) { $0 == "_" || $0.isLetter || $0.isNumber }
    }

    /// The unit in a family's name, such as `seconds`; empty for none.
    static func word(for unit: String, kind: MetricsSnapshot.Kind) -> String {
        if unit == "1" { return kind == .gauge ? "ratio" : "" }
        if unit.hasPrefix("{") { return "" }
        if let known = words[unit] { return known }
        let parts = unit.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return collapsed(unit) { $0.isLetter || $0.isNumber } }
        let (amount, each) = (word(for: parts[0], kind: .counter), singular[parts[1]] ?? parts[1])
        return amount.isEmpty ? "" : "\(amount)_per_\(collapsed(each) { $0.isLetter || $0.isNumber })"
    }

    private static let words = [
        "": "", "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds",
        "us": "microseconds", "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes",
        "GiBy": "gibibytes", "kBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "Cel": "celsius",
        "Hz": "hertz", "%": "percent",
    ]
    private static let singular = [
        "s": "second", "min": "minute", "h": "hour", "d": "day", "ms": "millisecond",
    ]

    /// Replaces each run of characters that are not allowed by one underscore. A name must not begin with a digit.
    private static func collapsed(_ text: String, _ isAllowed: (Character) -> Bool) -> String {
        var result = ""
        for character in text {
            if character != "_", character.isASCII, isAllowed(character) {
                result.append(character)
            } else if result.last != "_" {
                result.append("_")
            }
        }
        if result.first?.isNumber ?? true { result.insert("_", at: result.startIndex) }
        return result
    }
}
