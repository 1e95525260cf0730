/// The text formats in which Prometheus reads metrics.
public enum PrometheusFormat: Hashable, Sendable {
    /// Prometheus' own, version 0.0.4.
    case text
    /// OpenMetrics 1.0.0.
    case openMetrics

    /// The value of `Content-Type`, without which Prometheus 3 refuses a page.
    public var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// Chooses the format that a client prefers (RFC 9110 section 12.5.1). OpenMetrics must be asked for by name;
    /// whatever is not understood gets the text format.
    ///
    /// - Parameter accept: the request's `Accept`; several are joined by commas.
    public init(accept: String) {
        var (text, openMetrics) = (0.0, 0.0)
        for range in MediaRange.list(accept) {
            switch range.name {
            case "application/openmetrics-text" where ["1.0.0", nil].contains(range.parameters["version"]):
                openMetrics = max(openMetrics, range.quality)
            case "text/plain" where ["0.0.4", nil].contains(range.parameters["version"]):
                text = max(text, range.quality)
            default: break
            }
        }
        self = openMetrics > 0 && openMetrics >= text ? .openMetrics : .text
    }
}

/// One entry of a header such as `Accept` or `Accept-Encoding`, with how much it is wanted.
struct MediaRange: Equatable {
    /// In lower case, such as `text/plain` or `gzip`.
    var name: String
    var parameters: [String: String] = [:]
    /// From 0, which means "not at all", to 1.
    var quality = 1.0

    static func list(_ header: String) -> [MediaRange] {
        header.split(separator: ",").compactMap { entry in
            var parts = entry.split(separator: ";", omittingEmptySubsequences: false).map(trim)
            guard let name = parts.first, !name.isEmpty else { return nil }
            parts.removeFirst()
            var range = MediaRange(name: name.lowercased())
            for part in parts {
                let pair = part.split(separator: "=", maxSplits: 1).map(trim)
                guard pair.count == 2 else { continue }
                if pair[0].lowercased() == "q" {
                    // What is no number is not wanted, rather than wanted most.
                    let quality = Double(pair[1]) ?? 0
                    range.quality = quality >= 0 && quality <= 1 ? quality : 0
                } else {
                    range.parameters[pair[0].lowercased()] = pair[1].filter { $0 != "\"" }
                }
            }
            return range
        }
    }

    private static func trim(_ text: Substring) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        var rest = text.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return String(rest)
    }
}
