extension MetricsSnapshot {
    private func points(_ name: String) -> [Point] {
        metrics.first { $0.name == name }?.points ?? []
    }

    /// The sum of all points of a metric; nil if there is none.
    func total(_ name: String) -> Int64? {
        let points = points(name)
        return points.isEmpty ? nil : points.reduce(0) { $0 &+ $1.value.whole }
    }

    /// The values of a metric, each with those of its attributes, in the order of the metric's points.
    func values(_ name: String) -> [(label: String, value: Int64)] {
        points(name).map { point in
            (point.attributes.map(\.value).joined(separator: ", "), point.value.whole)
        }
    }

    /// A histogram by two of its attributes.
    func histograms(_ name: String, by first: String, _ second: String) -> (
        bounds: [Double], counts: [CallKind: [UInt64]]
    ) {
        guard let metric = metrics.first(where: { $0.name == name }),
            case .histogram(let bounds) = metric.kind
        else { return ([], [:]) }
        var counts: [CallKind: [UInt64]] = [:]
        for point in metric.points {
            guard case .histogram(let buckets, _) = point.value else { continue }
            let kind = CallKind(method: point[first], status: point[second])
            counts[kind] = counts[kind].map { zip($0, buckets).map { $0 &+ $1 } } ?? buckets
        }
        return (bounds, counts)
    }
}

/// Calls of a method that have ended alike.
struct CallKind: Hashable, Comparable, Sendable {
    var method: String
    var status: String

    static func < (left: Self, right: Self) -> Bool {
        (left.method, left.status) < (right.method, right.status)
    }
}

extension MetricsSnapshot.Point {
    /// The value of an attribute; empty if there is none.
    fileprivate subscript(_ name: String) -> String {
        attributes.first { $0.name == name }?.value ?? ""
    }
}

extension MetricsSnapshot.Value {
    /// The number, or how many values a histogram has.
    fileprivate var whole: Int64 {
        switch self {
        case .integer(let number): number
        case .double(let number): Int64(exactly: number.rounded()) ?? 0
        case .histogram(let counts, _): Int64(clamping: counts.reduce(0, &+))
        }
    }
}
