internal import NIOCore

/// Asks a proxy for a tunnel, and reads its answer (RFC 9110 section 9.3.6, RFC 9112).
///
///     statusLine ──▶ fields ──▶ established
///          ▲            │
///          └─── 1xx ────┘
///
/// The body that an answer may announce does not exist: behind the blank line of a 2xx, the server is speaking.
struct TunnelHandshake {
    enum Step: Equatable {
        /// The answer is not complete.
        case wait
        /// - rest: bytes of the server that came with the answer.
        case established(rest: ByteBuffer)
        case failed(ConnectFailure)
    }

    private enum State {
        case statusLine
        /// - isFinal: whether the status is 2xx, and not 1xx.
        case fields(isFinal: Bool)
    }

    private let tunnel: Tunnel
    private var state = State.statusLine
    /// The current line, as far as it has arrived.
    private var line: [UInt8] = []
    private var byteCount = 0

    /// Limits the bytes of the answer, including responses with status 1xx.
    static let maxSize = 16 << 10
    /// The bytes of a reason phrase that are shown.
    private static let quoteLimit = 80
    private static let version = Array("HTTP/1.".utf8)

    init(_ tunnel: Tunnel) {
        self.tunnel = tunnel
    }

    /// The request for the tunnel.
    ///
    /// - Throws: `ConnectFailure` if the server's name cannot be written in HTTP.
    func request() throws(ConnectFailure) -> ByteBuffer {
        guard tunnel.host.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw ConnectFailure(
                description: "a proxy can only be asked for a name in ASCII, not for '\(tunnel.host)'")
        }
        var text = """
            CONNECT \(tunnel.target) HTTP/1.1\r
            Host: \(tunnel.target)\r
            User-Agent: \(Version.userAgent(after: ""))\r

            """
        if let authorization = tunnel.proxy.authorization {
            text += "Proxy-Authorization: \(authorization)\r\n"
        }
        return ByteBuffer(string: text + "\r\n")
    }

    // MARK: The answer

    /// Takes bytes of the proxy, however they are split. After `established` and `failed`, it must not be called again.
    mutating func receive(_ bytes: ByteBuffer) -> Step {
        var rest = bytes
        do throws(ConnectFailure) {
            while let byte = rest.readInteger(as: UInt8.self) {
                if try take(byte) { return .established(rest: rest) }
            }
            return .wait
        } catch {
            return .failed(error)
        }
    }

    /// - Returns: whether the tunnel stands.
    private mutating func take(_ byte: UInt8) throws(ConnectFailure) -> Bool {
        byteCount += 1
        guard byteCount <= Self.maxSize else {
            throw failure("answered with more than \(Self.maxSize) bytes of headers to")
        }
        guard byte == UInt8(ascii: "\n") else {
            line.append(byte)
            if case .statusLine = state, !Self.version.starts(with: line.prefix(Self.version.count)) {
                throw notHTTP
            }
            return false
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line.removeAll(keepingCapacity: true) }
        switch state {
        case .statusLine:
            state = .fields(isFinal: try readStatusLine())
        case .fields(let isFinal):
            guard line.isEmpty else { break }
            state = .statusLine
            return isFinal
        }
        return false
    }

    /// - Returns: whether the status is final.
    /// - Throws: `ConnectFailure` for a final status other than 2xx.
    private func readStatusLine() throws(ConnectFailure) -> Bool {
        let space = UInt8(ascii: " ")
        guard line.starts(with: Self.version), line.count >= 12, line[8] == space,
            line.count == 12 || line[12] == space,
            let status = Int(String(decoding: line[9..<12], as: UTF8.self)), (100...599).contains(status)
        else { throw notHTTP }
        switch status {
        case 200...299: return true
        // 101 would be an upgrade, for which nobody has asked.
        case 100, 102...199: return false
        default: throw refusal(status, reason: line.dropFirst(13))
        }
    }

    // MARK: Failures

    /// The proxy closes the connection before its answer is complete.
    var closed: ConnectFailure {
        failure("closed the connection before it answered", isTemporary: true)
    }

    /// The time for connecting is up.
    var silence: ConnectFailure {
        failure("took the connection but did not answer")
    }

    private var notHTTP: ConnectFailure {
        failure("does not answer in HTTP/1.1 to")
    }

    private func refusal(_ status: Int, reason: ArraySlice<UInt8>) -> ConnectFailure {
        var words = String(decoding: reason.prefix(Self.quoteLimit), as: UTF8.self).escapedForDisplay
        if reason.count > Self.quoteLimit { words += "..." }
        var refusal = failure(
            "answered \(status)\(words.isEmpty ? "" : " \(words)") to",
            // The proxy or the server may be restarting, or have too much to do.
            isTemporary: status >= 500 || status == 429)
        // tinyproxy answers 401 to a wrong password.
        if status == 407 || status == 401 {
            refusal.description +=
                tunnel.proxy.authorization == nil
                ? " (its URL needs a user name and a password)"
                : " (it does not accept the user name and password in its URL)"
        }
        return refusal
    }

    private func failure(_ words: String, isTemporary: Bool = false) -> ConnectFailure {
        ConnectFailure(
            description: "proxy \(tunnel.proxy) \(words) CONNECT \(tunnel.target)", isTemporary: isTemporary)
    }
}
