internal import Logging

/// Logs the calls of one connection, one line each.
///
/// A client that repeats its headers sends about 20 bytes per call, but a line has more than 100. So that a client
/// cannot fill a disk cheaply, at most four times the bytes that it has sent are logged. The next line has the number
/// of lines omitted. Calls that carry data get their lines, since their
/// bytes count too.
struct CallLog {
    /// Bytes that may be logged per byte received.
    private static let ratio = 4
    /// Bytes of a line that are not counted individually: names, the time, numbers.
    private static let constantLength = 120
    /// Maximum bytes of a peer's text in a line.
    private static let textLimit = 256

    private let logger: Logger
    /// Bytes of all lines, including that of `close`.
    private var logged = Self.constantLength
    private var leftOut = 0

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func write(_ line: ServerCallRecord) {
        var metadata: Logger.Metadata = [
            "peer": "\(line.peer)", "method": "\(Self.cut(line.path.escapedForDisplay))",
            "status": "\(line.status.code)", "bytes": .stringConvertible(line.bytesReceived),
            "ms": .stringConvertible((line.duration / .microseconds(1)).rounded() / 1e3),
        ]
        if let principal = line.peer.principal {
            metadata["principal"] = "\(Self.cut(principal.escapedForDisplay))"
        }
        if !line.status.message.isEmpty {
            metadata["message"] = "\(Self.cut(line.status.message.escapedForDisplay))"
        }
        if leftOut > 0 { metadata["not-logged-before"] = .stringConvertible(leftOut) }
        let length = metadata.values.reduce(Self.constantLength) { $0 + Self.length($1) }
        guard logged + length < line.connectionBytesReceived * Self.ratio else { return leftOut += 1 }
        logged += length
        leftOut = 0
        logger.debug("call", metadata: metadata)
    }

    /// The connection is closed. Logs the number of omitted lines, since no other line will.
    mutating func close(peer: Peer) {
        guard leftOut > 0 else { return }
        logger.debug(
            "connection closed",
            metadata: ["peer": "\(peer)", "not-logged-before": .stringConvertible(leftOut)])
        leftOut = 0
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count > textLimit ? "\(text.prefix(textLimit))..." : text
    }

    /// The length of a value in bytes once it is quoted.
    private static func length(_ value: Logger.MetadataValue) -> Int {
        "\(value)".utf8.reduce(2) { $0 + ($1 == UInt8(ascii: "\\") || $1 == UInt8(ascii: "\"") ? 2 : 1) }
    }
}
