/// A chart of rates over the time that is kept, in SVG. The picture is stretched to its place, so it has no text: the
/// labels are HTML beside it.
struct StatusChart {
    private static let (width, height) = (600.0, 120.0)

    private let rates: [StatusHistory.Rate]
    /// The value of the upper edge: 1, 2 or 5 times a power of ten.
    let top: Double

    init(_ rates: [StatusHistory.Rate]) {
        self.rates = rates
        let largest = rates.map(\.perSecond).max() ?? 0
        var unit = 1.0
        while unit * 10 <= largest { unit *= 10 }
        while unit >= largest * 10, unit > 1e-3, largest > 0 { unit /= 10 }
        top = [1, 2, 5, 10].map { $0 * unit }.first { $0 >= largest } ?? largest
    }

    /// - Parameter words: what the chart shows, for those who cannot see it.
    func svg(_ words: String) -> HTML {
        let points = rates.map { rate in
            let x = Self.width * (1 - rate.age / Double(StatusHistory.span))
            let y = Self.height * (1 - min(rate.perSecond / top, 1))
            return (x: max(x, 0), y: y)
        }
        var picture: HTML = ""
        if let first = points.first, let last = points.last, points.count > 1 {
            let line = points.map { "\(Self.text($0.x)),\(Self.text($0.y))" }.joined(separator: " ")
            let area = "\(Self.text(first.x)),120 \(line) \(Self.text(last.x)),120"
            picture =
                "<polygon class=\"area\" points=\"\(area: area)\"/><polyline class=\"line\" points=\"\(area: line)\"/>"
        }
        return """
            <svg viewBox="0 0 600 120" preserveAspectRatio="none" role="img" aria-label="\(words)">\
            <path class="grid" d="M0 .5H600M0 60H600M0 119.5H600"/>\(picture)</svg>
            """
    }

    /// With one decimal.
    private static func text(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return tenths.isMultiple(of: 10) ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

extension HTML.Pieces {
    /// Coordinates, of which there may be more characters than a text may have.
    fileprivate mutating func appendInterpolation(area coordinates: String) {
        appendLiteral(coordinates)
    }
}
