internal import NIOCore

/// The first bytes of a peer that does not speak HTTP/2 in clear text, or not TLS on a port for TLS, and our response to
/// them.
struct InvalidPreface: CustomStringConvertible {
    enum Sender: String {
        case client, server
    }

    /// What we speak.
    enum Port {
        case clearText, tls
    }

    /// Bytes to show in messages.
    private static let shownLength = 64
    private let shown: [UInt8]
    private let sender: Sender
    private let port: Port

    init(_ bytes: ByteBuffer, of sender: Sender = .client, port: Port = .clearText) {
        shown = Array(bytes.readableBytesView.prefix(Self.shownLength))
        self.sender = sender
        self.port = port
    }

    /// Whether the bytes begin a TLS record: an alert or a handshake, version 3.x (RFC 8446 section 5.1).
    var isTLS: Bool {
        guard let type = shown.first, type == 0x15 || type == 0x16 else { return false }
        return shown.count < 2 || shown[1] == 3
    }

    /// Whether the bytes begin an HTTP/1 response.
    var isHTTP1: Bool { shown.starts(with: "HTTP/1.".utf8) }

    private var isHTTP2: Bool { shown.starts(with: Self.http2.utf8) }

    /// Whether the bytes begin a request of HTTP/1, or HTTP/2; nil if more of them are needed to tell.
    var isHTTPRequest: Bool? {
        let words = ([Self.http2] + Self.methods.map { "\($0) " })
        if words.contains(where: { shown.starts(with: $0.utf8) }) { return true }
        return words.contains { $0.utf8.starts(with: shown) } ? nil : false
    }

    /// Whether one side speaks TLS and the other does not.
    var mistakesTLS: Bool { isTLS || port == .tls }

    var description: String {
        if port == .tls {
            return
                "the client speaks \(isHTTP2 ? "HTTP/2" : "HTTP/1") in clear text, but this port speaks TLS"
        }
        if isTLS {
            switch sender {
            case .client: return "the client speaks TLS, but this port does not"
            case .server: return "the server speaks TLS: use --tls"
            }
        }
        let text = String(decoding: shown, as: UTF8.self).escapedForDisplay
        return "the \(sender) does not speak HTTP/2 in clear text: it began with '\(text)'"
    }

    /// The beginning of a client's preface (RFC 9113 section 3.4).
    private static let http2 = "PRI "
    private static let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ]
    /// The alert protocol_version (RFC 8446 section 6).
    private static let alert = ByteBuffer(bytes: [0x15, 3, 1, 0, 2, 2, 0x46])

    /// A response by which the client recognises its mistake: text if the bytes begin an HTTP/1.1 request, or a handshake
    /// of TLS, whose error for what does not look like TLS is clearer than any alert; an alert of TLS if they begin HTTP/2
    /// on a port for TLS; otherwise empty.
    var answer: ByteBuffer {
        if port == .tls, isHTTP2 { return Self.alert }
        let word = shown.prefix { $0 != UInt8(ascii: " ") }
        guard shown.first == 0x16 && isTLS || Self.methods.contains(where: { $0.utf8.starts(with: word) })
        else {
            return ByteBuffer()
        }
        let text =
            switch port {
            case .clearText: "This is a port for gRPC, which needs HTTP/2 without TLS.\n"
            case .tls: "This port speaks TLS, and gRPC over HTTP/2.\n"
            }
        return ByteBuffer(
            string: "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n"
                + "content-length: \(text.utf8.count)\r\n\r\n\(text)")
    }
}
