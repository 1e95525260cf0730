package import Logging

/// Logs to a `LineWriter`, in either format.
///
/// The text is that of swift-log's `StreamLogHandler`, except that values that contain a space, a quote or an equals sign
/// are quoted, so that the fields of a line can be told apart.
package struct LineLogHandler: LogHandler {
    let label: String
    let writer: LineWriter
    let format: LogFormat
    package var logLevel = Logger.Level.info
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    package init(label: String, writer: LineWriter, format: LogFormat = .text) {
        self.label = label
        self.writer = writer
        self.format = format
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let lost = writer.takeLost()
        let prefix = writer.isJournal ? JournalPriority.prefix(event.level) : ""
        let values = values(of: event, lost)
        switch format {
        case .text: logText(event, values, after: prefix, lost)
        case .json:
            let line = Self.json(event.level, label, "\(event.message)", values, Timestamp())
            writer.write(prefix + line, lostBefore: lost)
        }
    }

    /// The last line of a program that ends with an error.
    package static func lastLine(_ message: String, label: String, format: LogFormat, writer: LineWriter)
        -> String
    {
        let line =
            switch format {
            case .text: "\(label): \(message)\n"
            case .json: json(.critical, label, message, [:], Timestamp())
            }
        return (writer.isJournal ? JournalPriority.prefix(.critical) : "") + line
    }

    private func values(of event: LogEvent, _ lost: Int) -> Logger.Metadata {
        var values = metadata
        for more in [metadataProvider?.get(), event.metadata] {
            values.merge(more ?? [:]) { _, new in new }
        }
        if let error = event.error { values["error"] = "\(error)" }
        if lost > 0 { values["lines-lost-before"] = .stringConvertible(lost) }
        return values
    }

    // MARK: JSON

    /// The keys of a line that come first, in this order; those of the metadata follow, sorted.
    private static let reserved: Set = ["ts", "level", "logger", "msg"]

    static func json(
        _ level: Logger.Level, _ label: String, _ message: String, _ values: Logger.Metadata,
        _ time: Timestamp
    ) -> String {
        var json = JSONText()
        json.beginObject()
        for (name, value) in [
            ("ts", time.text), ("level", level.rawValue), ("logger", label), ("msg", message),
        ] {
            json.name(name)
            json.string(value)
        }
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            // No key may come twice.
            json.name(reserved.contains(name) ? "\(name)_" : name)
            append(value, to: &json)
        }
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self) + "\n"
    }

    private static func append(_ value: Logger.MetadataValue, to json: inout JSONText) {
        switch value {
        case .string(let text): json.string(text)
        case .stringConvertible(let value as Int): json.integer(value)
        case .stringConvertible(let value as Double): json.number(value)
        case .stringConvertible(let value as Bool): json.boolean(value)
        case .stringConvertible(let value): json.string("\(value)")
        case .array(let values):
            json.beginArray()
            for value in values { append(value, to: &json) }
            json.endArray()
        case .dictionary(let values):
            json.beginObject()
            for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                json.name(name)
                append(value, to: &json)
            }
            json.endObject()
        }
    }

    // MARK: Text

    private func logText(_ event: LogEvent, _ values: Logger.Metadata, after prefix: String, _ lost: Int) {
        var event = event
        event.metadata = values.mapValues { "\(Self.quoted("\($0)"))" }
        event.error = nil
        let stream = Stream(writer: writer, prefix: prefix, lostBefore: lost)
        StreamLogHandler(label: label, stream: stream, metadataProvider: nil).log(event: event)
    }

    package static func quoted(_ value: String) -> String {
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
        var prefix: String
        var lostBefore: Int

        mutating func write(_ line: String) {
            writer.write(prefix + line, lostBefore: lostBefore)
        }
    }
}
