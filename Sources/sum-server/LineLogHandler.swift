import Logging

/// Logs to a `LineWriter` in the format of swift-log's `StreamLogHandler`, but quotes values that contain a space, a
/// quote or an equals sign, so that the fields of a line can be told apart.
struct LineLogHandler: LogHandler {
    let label: String
    let writer: LineWriter
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(label: String, writer: LineWriter) {
        self.label = label
        self.writer = writer
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let lost = writer.takeLost()
        var values = metadata.merging(event.metadata ?? [:]) { _, new in new }
        if lost > 0 { values["lines-lost-before"] = "\(lost)" }
        var event = event
        event.metadata = values.mapValues { "\(Self.quoted("\($0)"))" }
        let stream = Stream(writer: writer, lostBefore: lost)
        StreamLogHandler(label: label, stream: stream, metadataProvider: metadataProvider).log(event: event)
    }

    static func quoted(_ value: String) -> String {
        let isPlain = !value.utf8.contains { $0 <= UInt8(ascii: " ") || "=\"".utf8.contains($0) }
        guard value.isEmpty || !isPlain else { return value }
        var quoted = "\""
        for scalar in value.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted.unicodeScalars.append("\\") }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }

    /// Writes one line to the writer.
    private struct Stream: TextOutputStream, Sendable {
        var writer: LineWriter
        var lostBefore: Int

        mutating func write(_ line: String) {
            writer.write(line, lostBefore: lostBefore)
        }
    }
}
