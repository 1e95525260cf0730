/// How the lines of a log are written.
public enum LogFormat: String, CaseIterable, Sendable {
    /// For people: `key=value`, where values with spaces are quoted.
    case text
    /// One JSON object per line.
    case json
}
