internal import SumCore

/// OpenTelemetry's environment variables
/// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables).
///
/// An empty value counts as unset. A value that cannot be used becomes a warning, and is ignored.
public struct OpenTelemetryVariables {
    private let value: (String) -> String?
    /// What the user should know: one text for each value that was ignored.
    public private(set) var warnings: [String] = []

    /// The variables of the process.
    public init() {
        self.init { Environment.value($0) }
    }

    /// - Parameter value: the value of the variable with a name.
    public init(_ value: @escaping (String) -> String?) {
        self.value = value
    }

    /// The value without spaces around it.
    func text(_ name: String) -> String? {
        guard let text = value(name)?.trimmed, !text.isEmpty else { return nil }
        return text
    }

    /// `true` in any case of letters is true, everything else is false.
    mutating func flag(_ name: String) -> Bool? {
        guard let text = text(name)?.lowercased() else { return nil }
        if text != "true", text != "false" {
            warn(name, "is neither 'true' nor 'false', and counts as 'false'")
        }
        return text == "true"
    }

    /// A positive number.
    mutating func number(_ name: String) -> Int? {
        guard let text = text(name) else { return nil }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int32(text), number > 0
        else {
            warn(name, "is not a number from 1 to \(Int32.max), and is ignored")
            return nil
        }
        return Int(number)
    }

    /// A time, which is given in milliseconds.
    mutating func duration(_ name: String) -> Duration? {
        number(name).map { .milliseconds($0) }
    }

    /// The value that one of a few words stands for.
    mutating func choice<Value>(_ name: String, _ values: [String: Value]) -> Value? {
        guard let text = text(name) else { return nil }
        if let value = values[text] { return value }
        warn(
            name,
            "is '\(text.escapedForDisplay)', which is ignored; known are \(values.keys.sorted().joined(separator: ", "))"
        )
        return nil
    }

    /// Pairs `name=value`, separated by commas, with values in the percent-encoding of W3C Baggage. Nil for a list with
    /// anything else in it. Warnings do not quote it, since it may contain credentials.
    mutating func list(_ name: String) -> [(name: String, value: String)]? {
        guard let text = text(name) else { return nil }
        var pairs: [(name: String, value: String)] = []
        for (index, member) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            let member = String(member).trimmed
            guard !member.isEmpty else { continue }
            let parts = member.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = PercentEncoding.decode(String(parts[0]).trimmed)
            guard parts.count == 2, !key.isEmpty else {
                warn(name, "is ignored: member \(index + 1) of the list is not 'name=value'")
                return nil
            }
            pairs.append((key, PercentEncoding.decode(String(parts[1]).trimmed)))
        }
        return pairs
    }

    /// - Parameter reason: continues a sentence that begins with the variable's name.
    mutating func warn(_ name: String, _ reason: String) {
        warnings.append("\(name) \(reason)")
    }
}

extension String {
    /// The text without spaces and tabs around it.
    fileprivate var trimmed: String {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let rest = utf8.drop(while: isSpace)
        guard let last = rest.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(self[rest.startIndex...last])
    }
}
