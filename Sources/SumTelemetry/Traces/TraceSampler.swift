package import SumCore

/// Decides which traces are recorded (`OTEL_TRACES_SAMPLER` in
/// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
public struct TraceSampler: Hashable, Sendable {
    private enum Rule: Hashable {
        case always, never
        /// Of this fraction of the trace ids.
        case ratio(Double)
    }

    private var rule: Rule
    /// Whether a span with a parent does as the parent does.
    private var followsParent: Bool

    private init(_ rule: Rule, followsParent: Bool) {
        self.rule = rule
        self.followsParent = followsParent
    }

    /// Records what the caller records, and all traces that begin here.
    public static let `default` = alwaysOn(followingParent: true)

    /// Records all traces; if it follows parents, those that begin here.
    public static func alwaysOn(followingParent: Bool = false) -> TraceSampler {
        TraceSampler(.always, followsParent: followingParent)
    }

    /// Records no traces; if it follows parents, none that begin here.
    public static func alwaysOff(followingParent: Bool = false) -> TraceSampler {
        TraceSampler(.never, followsParent: followingParent)
    }

    /// Records a fraction of the traces; if it follows parents, of those that begin here.
    ///
    /// - Parameters:
    ///   - ratio: the fraction of traces to record, from 0 to 1. All processes with the same or a greater ratio record the
    ///     same traces.
    ///   - followingParent: whether a span with a parent does as the parent does.
    public static func ratio(_ ratio: Double, followingParent: Bool = false) -> TraceSampler {
        TraceSampler(.ratio(min(max(ratio, 0), 1)), followsParent: followingParent)
    }

    /// The sampler that OpenTelemetry's environment variables ask for.
    ///
    /// - Parameter warn: is given a reason for each value that is not understood, and ignored therefore.
    package static func fromEnvironment(warn: (String) -> Void) -> TraceSampler {
        TraceSampler(
            named: Environment.value("OTEL_TRACES_SAMPLER"),
            argument: Environment.value("OTEL_TRACES_SAMPLER_ARG"), warn: warn)
    }

    /// Reads the values of `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`. An empty value counts as none.
    ///
    /// - Parameters:
    ///   - name: the value of the first.
    ///   - argument: the value of the second.
    ///   - warn: is given a reason for each value that is not understood, and ignored therefore.
    public init(named name: String?, argument: String?, warn: (String) -> Void = { _ in }) {
        var words = (name ?? "")[...]
        let followsParent = words.hasPrefix("parentbased_")
        if followsParent { words = words.dropFirst("parentbased_".count) }
        switch words {
        case "" where !followsParent: self = .default
        case "always_on": self = .alwaysOn(followingParent: followsParent)
        case "always_off": self = .alwaysOff(followingParent: followsParent)
        case "traceidratio":
            let text = argument ?? ""
            let ratio = Double(text).flatMap { (0...1).contains($0) ? $0 : nil }
            if ratio == nil, !text.isEmpty {
                warn(
                    "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not '\(text)'; all traces are recorded"
                )
            }
            self = .ratio(ratio ?? 1, followingParent: followsParent)
        default:
            warn("there is no OTEL_TRACES_SAMPLER '\(name ?? "")'; parentbased_always_on is used")
            self = .default
        }
    }

    package func samples(_ traceID: UInt128, under parent: SpanContext?) -> Bool {
        if followsParent, let parent { return parent.trace.isSampled }
        switch rule {
        case .always: return true
        case .never: return false
        case .ratio(1): return true
        // As OpenTelemetry's Go SDK compares, so that both record the same traces.
        case .ratio(let ratio): return UInt64(truncatingIfNeeded: traceID) >> 1 < UInt64(ratio * 0x1p63)
        }
    }
}
