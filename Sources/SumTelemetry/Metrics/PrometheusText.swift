/// Writes metrics as a page that Prometheus scrapes.
public struct PrometheusText: Sendable {
    private let format: PrometheusFormat
    private let resource: TelemetryResource?
    /// The labels with the scope, which every sample has.
    private let scopeLabels: String

    /// Creates a writer of pages.
    ///
    /// - Parameters:
    ///   - format: which of the formats of Prometheus.
    ///   - resource: what is measured; its attributes become the labels of `target_info`.
    ///   - scope: who measures; part of every sample.
    public init(
        _ format: PrometheusFormat, resource: TelemetryResource? = nil,
        scope: InstrumentationScope = .current
    ) {
        self.format = format
        self.resource = resource
        scopeLabels =
            "otel_scope_name=\"\(Self.escapedValue(scope.name))\",otel_scope_version=\"\(Self.escapedValue(scope.version))\""
    }

    /// The page.
    public func page(_ snapshot: MetricsSnapshot) -> String {
        var page = ""
        page.reserveCapacity(64 << 10)
        var families: Set<String> = ["target"]
        for metric in snapshot.metrics where !metric.points.isEmpty {
            let name = PrometheusName.family(metric.name, unit: metric.unit, kind: metric.kind)
            // Two names may become one, but a family may be there only once.
            guard families.insert(name).inserted else { continue }
            write(metric, as: name, to: &page)
        }
        if let resource { writeTargetInfo(resource, to: &page) }
        if format == .openMetrics { page += "# EOF\n" }
        return page
    }

    // MARK: Families

    private func write(_ metric: MetricsSnapshot.Metric, as name: String, to page: inout String) {
        let type =
            switch metric.kind {
            case .counter: "counter"
            case .upDownCounter, .gauge: "gauge"
            case .histogram: "histogram"
            }
        let sample = metric.kind == .counter ? "\(name)_total" : name
        writeHead(
            of: format == .openMetrics ? name : sample, type: type, help: metric.help,
            unit: PrometheusName.word(for: metric.unit, kind: metric.kind), to: &page)
        for point in metric.points {
            let labels = labels(of: point)
            switch point.value {
            case .integer(let value):
                write(sample, labels, "\(value)", to: &page)
            case .double(let value):
                write(sample, labels, PrometheusNumber.text(value), to: &page)
            case .histogram(let counts, let sum):
                guard case .histogram(let bounds) = metric.kind else { continue }
                write(bounds, counts, sum, of: name, labels, to: &page)
            }
        }
    }

    private func writeHead(of name: String, type: String, help: String, unit: String, to page: inout String) {
        page += "# HELP \(name) \(escapedHelp(help))\n# TYPE \(name) \(type)\n"
        // A family with a unit must end in it.
        if format == .openMetrics, !unit.isEmpty, name.hasSuffix("_\(unit)") {
            page += "# UNIT \(name) \(unit)\n"
        }
    }

    private func write(
        _ bounds: [Double], _ counts: [UInt64], _ sum: Double, of name: String, _ labels: String,
        to page: inout String
    ) {
        guard counts.count == bounds.count + 1 else { return }
        var count: UInt64 = 0
        for (bound, inBucket) in zip(bounds + [.infinity], counts) {
            count += inBucket
            let bound =
                format == .text ? PrometheusNumber.text(bound) : PrometheusNumber.openMetricsText(bound)
            write("\(name)_bucket", "\(labels),le=\"\(bound)\"", "\(count)", to: &page)
        }
        write("\(name)_sum", labels, PrometheusNumber.text(sum), to: &page)
        write("\(name)_count", labels, "\(count)", to: &page)
    }

    private func writeTargetInfo(_ resource: TelemetryResource, to page: inout String) {
        let isText = format == .text
        writeHead(
            of: isText ? "target_info" : "target", type: isText ? "gauge" : "info",
            help: "What is measured.", unit: "", to: &page)
        let attributes = resource.attributes.map { attribute in
            MetricsSnapshot.Attribute(attribute.name, attribute.value.text)
        }
        write("target_info", joined(attributes), "1", to: &page)
    }

    // MARK: Samples

    private func write(_ name: String, _ labels: String, _ value: String, to page: inout String) {
        page += name
        page += "{"
        page += labels
        page += "} "
        page += value
        page += "\n"
    }

    private func labels(of point: MetricsSnapshot.Point) -> String {
        point.attributes.isEmpty ? scopeLabels : "\(joined(point.attributes)),\(scopeLabels)"
    }

    /// Of names that become the same, the values are joined, in the order of the names.
    private func joined(_ attributes: [MetricsSnapshot.Attribute]) -> String {
        var labels: [(name: String, value: String)] = []
        for attribute in attributes {
            let name = PrometheusName.label(attribute.name)
            if let index = labels.firstIndex(where: { $0.name == name }) {
                labels[index].value += ";\(attribute.value)"
            } else {
                labels.append((name, attribute.value))
            }
        }
        return labels.map { "\($0.name)=\"\(Self.escapedValue($0.value))\"" }.joined(separator: ",")
    }

    // MARK: Escaping

    private static func escapedValue(_ text: String) -> String { escaped(text, quotes: true) }

    /// OpenMetrics also escapes the quotes in help.
    private func escapedHelp(_ text: String) -> String { Self.escaped(text, quotes: format == .openMetrics) }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

extension FinishedSpan.Attribute.Value {
    fileprivate var text: String {
        switch self {
        case .string(let value): value
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        case .boolean(let value): "\(value)"
        }
    }
}
