internal import Logging

/// Logs the calls of one connection, a line each.
///
/// A client that repeats its headers sends about 20 bytes a call, and a line has more than 100. So that nobody fills a
/// disk with less than a quarter of it, no more is logged than four times what the client has sent; the next line counts
/// those left out. Calls that carry data have their lines.
struct CallLog {
    /// Bytes that may be logged for each that came.
    private static let ratio = 4
    /// Bytes of a line besides what is counted: names, the time, the figures.
    private static let constantLength = 120
    /// Bytes of a text from the peer in a line.
    private static let textLimit = 256

    private let logger: Logger
    /// Bytes of all lines, with that of `close`.
    private var logged = Self.constantLength
    private var leftOut = 0

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func write(_ line: ServerCallRecord) {
        var metadata: Logger.Metadata = [
            "peer": "\(line.peer)", "method": "\(Self.cut(line.path.escapedForDisplay))",
            "status": "\(line.status.code)", "bytes": "\(line.bytesReceived)",
            "ms": "\((line.duration / .microseconds(1)).rounded() / 1e3)",
        ]
        if !line.status.message.isEmpty {
            metadata["message"] = "\(Self.cut(line.status.message.escapedForDisplay))"
        }
        if leftOut > 0 { metadata["not-logged-before"] = "\(leftOut)" }
        let length = metadata.values.reduce(Self.constantLength) { $0 + Self.length($1) }
        guard logged + length < line.connectionBytesReceived * Self.ratio else { return leftOut += 1 }
        logged += length
        leftOut = 0
        logger.debug("call", metadata: metadata)
    }

    /// The connection is gone: nothing follows that could count the lines left out.
    mutating func close(peer: Peer) {
        guard leftOut > 0 else { return }
        logger.debug("connection closed", metadata: ["peer": "\(peer)", "not-logged-before": "\(leftOut)"])
        leftOut = 0
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count > textLimit ? "\(text.prefix(textLimit))..." : text
    }

    /// Bytes of a value once it is quoted.
    private static func length(_ value: Logger.MetadataValue) -> Int {
        "\(value)".utf8.reduce(2) { $0 + ($1 == UInt8(ascii: "\\") || $1 == UInt8(ascii: "\"") ? 2 : 1) }
    }
}
