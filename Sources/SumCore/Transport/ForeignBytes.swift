internal import NIOCore

/// The first bytes of a client that does not speak HTTP/2 in clear text, and what it is told.
struct ForeignBytes: Error, CustomStringConvertible {
    /// As many bytes as show what it is.
    private static let shownLength = 64
    private let shown: [UInt8]

    init(_ bytes: ByteBuffer) {
        shown = Array(bytes.readableBytesView.prefix(Self.shownLength))
    }

    var description: String {
        let text = PeerText.printable(String(decoding: shown, as: UTF8.self))
        return "the client does not speak HTTP/2 in clear text: it began with '\(text)'"
    }

    /// For what looks like HTTP/1.1 a response that a person can read, else nothing.
    var answer: ByteBuffer {
        guard let first = shown.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
            return ByteBuffer()
        }
        let text = "This is a port for gRPC, which needs HTTP/2 without TLS.\n"
        return ByteBuffer(
            string: "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n"
                + "content-length: \(text.utf8.count)\r\n\r\n\(text)")
    }
}
