internal import NIOCore

/// The header of the PROXY protocol, versions 1 and 2, with which a proxy says who its client is
/// (https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt).
enum ProxyHeader: Equatable {
    /// The connection is the proxy's own, such as a health check, or the proxy says nothing that we can use: the
    /// address of the socket counts.
    case none
    /// The client's address in the syntax of `Peer.address`.
    case client(String)

    enum Reading: Equatable {
        /// What has come may be the beginning of a header.
        case incomplete
        /// A header of `length` bytes.
        case complete(ProxyHeader, length: Int)
        case invalid(String)
    }

    /// The longest header that is accepted, as in nginx. Version 1 has at most 107 bytes; version 2 may have any number
    /// of extensions, which we ignore.
    static let longest = 4096

    private static let longestLine = 107
    private static let lineStart = Array("PROXY ".utf8)
    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    /// Reads the header at the beginning of everything that a connection has sent so far.
    static func read(_ bytes: ByteBufferView) -> Reading {
        if begins(bytes, with: signature) { return readBinary(bytes) }
        if begins(bytes, with: lineStart) { return readLine(bytes) }
        return .invalid("it does not begin with a PROXY protocol header")
    }

    /// Whether the bytes begin with `start`, as far as there are any.
    private static func begins(_ bytes: ByteBufferView, with start: [UInt8]) -> Bool {
        bytes.prefix(start.count).elementsEqual(start.prefix(bytes.count))
    }

    // MARK: Version 1

    private static func readLine(_ bytes: ByteBufferView) -> Reading {
        let line = bytes.prefix(longestLine)
        guard let end = line.firstIndex(of: UInt8(ascii: "\n")) else {
            return line.count < longestLine ? .incomplete : .invalid("its PROXY line has no end")
        }
        let length = end - bytes.startIndex + 1
        guard end > line.startIndex, line[end - 1] == UInt8(ascii: "\r") else {
            return .invalid("its PROXY line ends without a carriage return")
        }
        let words = line[..<(end - 1)].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        // What follows UNKNOWN has no meaning.
        if words.count >= 2, words[1] == "UNKNOWN" { return .complete(.none, length: length) }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6",
            isAddress(words[2], v6: words[1] == "TCP6"), isAddress(words[3], v6: words[1] == "TCP6"),
            let address = IPAddress(words[2]), let port = port(words[4]), self.port(words[5]) != nil
        else {
            return .invalid("its PROXY line is malformed")
        }
        return .complete(.client(HostAndPort.describe(address.text, port: port)), length: length)
    }

    private static func isAddress(_ text: String, v6: Bool) -> Bool {
        text.contains(":") == v6 && !text.contains("%") && IPAddress(text) != nil
    }

    private static func port(_ text: String) -> Int? {
        guard (1...5).contains(text.utf8.count), text == "0" || text.utf8.first != UInt8(ascii: "0"),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(text), port <= 65535
        else { return nil }
        return port
    }

    // MARK: Version 2

    private static func readBinary(_ bytes: ByteBufferView) -> Reading {
        let start = bytes.startIndex
        // Version and command, family and transport, and the length of the rest.
        guard bytes.count >= 16 else { return .incomplete }
        let (command, family) = (bytes[start + 12], bytes[start + 13])
        let length = 16 + (Int(bytes[start + 14]) << 8 | Int(bytes[start + 15]))
        guard command >> 4 == 2 else { return .invalid("its PROXY header has an unknown version") }
        guard command & 0xf <= 1 else { return .invalid("its PROXY header has an unknown command") }
        guard length <= longest else { return .invalid("its PROXY header has more than \(longest) bytes") }
        let isClients = command & 0xf == 1
        guard family >> 4 <= 3, family & 0xf <= 2 else {
            return .invalid("its PROXY header has an unknown kind of address")
        }
        let size: Int? = isClients ? (family == 0x11 ? 4 : family == 0x21 ? 16 : nil) : nil
        if let size, length < 16 + 2 * size + 4 { return .invalid("its PROXY header is too short") }
        guard bytes.count >= length else { return .incomplete }
        // A Unix domain socket, or a datagram, is not a client that we could name.
        guard let size, let address = IPAddress(bytes: bytes[(start + 16)..<(start + 16 + size)]) else {
            return .complete(.none, length: length)
        }
        let place = start + 16 + 2 * size
        let port = Int(bytes[place]) << 8 | Int(bytes[place + 1])
        return .complete(.client(HostAndPort.describe(address.text, port: port)), length: length)
    }
}
