internal import NIOCore

/// The first bytes of a peer that does not speak HTTP/2 in clear text, and our response to them.
struct InvalidPreface: CustomStringConvertible {
    enum Sender: String {
        case client, server
    }

    /// Bytes to show in messages.
    private static let shownLength = 64
    private let shown: [UInt8]
    private let sender: Sender

    init(_ bytes: ByteBuffer, of sender: Sender = .client) {
        shown = Array(bytes.readableBytesView.prefix(Self.shownLength))
        self.sender = sender
    }

    /// Whether the bytes begin a TLS record: an alert or a handshake, version 3.x (RFC 8446 section 5.1).
    var isTLS: Bool {
        guard let type = shown.first, type == 0x15 || type == 0x16 else { return false }
        return shown.count < 2 || shown[1] == 3
    }

    /// Whether the bytes begin an HTTP/1 response.
    var isHTTP1: Bool { shown.starts(with: "HTTP/1.".utf8) }

    var description: String {
        if isTLS { return "the \(sender) speaks TLS, and not HTTP/2 in clear text" }
        let text = String(decoding: shown, as: UTF8.self).escapedForDisplay
        return "the \(sender) does not speak HTTP/2 in clear text: it began with '\(text)'"
    }

    private static let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ]

    /// A human-readable response if the bytes begin an HTTP/1.1 request; otherwise empty.
    var answer: ByteBuffer {
        let word = shown.prefix { $0 != UInt8(ascii: " ") }
        guard Self.methods.contains(where: { $0.utf8.starts(with: word) }) else { return ByteBuffer() }
        let text = "This is a port for gRPC, which needs HTTP/2 without TLS.\n"
        return ByteBuffer(
            string: "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n"
                + "content-length: \(text.utf8.count)\r\n\r\n\(text)")
    }
}
