import NIOCore

@testable import SumCore

/// The parsers of `Transport/Proxy`.
extension TextCheck {
    static let proxy = TextCheck([
        "http://p:3128", "p", "u:w@p:1", "http://u%40:%2f@[::1]:80/", "https://p", "http://u:a/b@p",
        "u:a@b@p:",
        "http://[fe80::1%25eth0]:1", "http://", ":1", "p:65536",
    ]) { text in
        switch Result(catching: { () throws(InvalidAddress) in try HTTPProxy(text) }) {
        case .success(let proxy):
            let again = try? HTTPProxy(proxy.description)
            try require(again?.description == proxy.description, "'\(text)' becomes \(proxy)")
            try require(again?.authorization == nil, "\(proxy) has credentials")
        case .failure(let error):
            // Only words of our own: whatever is quoted may be a password.
            try require(
                error.description.hasSuffix("; write it as http://[USER:PASSWORD@]HOST[:PORT]")
                    && error.description.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "'\(text)': \(error)"
            )
        }
    }

    static let proxyExceptions = TextCheck([
        "a.b", ".b:1,*.c", "10.0.0.0/8, ::1,[::1]:5", "*", "1.2.3.4/33", "::/0,:::", ",,", ".", "[", "]:",
        "*.:",
    ]) { text in
        let exceptions = ProxyExceptions(text)
        let words = text.utf8.split(separator: UInt8(ascii: ","))
        for word in words {
            let host = String(Substring(word))
            guard let entry = exceptions.entry(for: host, port: 1) else { continue }
            try require(text.utf8.firstRange(of: entry.utf8) != nil, "'\(text)' has no '\(entry)'")
        }
        try require(ProxyExceptions(text + ",*").entry(for: "a", port: 1) != nil, "'\(text),*' is not all")
    }

    /// However the answer is split, the result is the same, and no byte of the server is lost.
    static let proxyAnswer = TextCheck([
        "HTTP/1.1 200 OK\r\n\r\nrest", "HTTP/1.0 299\n\n", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 407 x\r\n",
        "HTTP/1.1 2",
        "HTTP/1.1 503 \u{1b}\r\n", "\0\0\0\u{4}",
    ]) { (input: inout FuzzInput) in
        let bytes = input.takeRest()
        let tunnel = Tunnel(proxy: try HTTPProxy("p:1"), host: "sum", port: 1)
        var handshake = TunnelHandshake(tunnel)
        let whole = handshake.receive(ByteBuffer(bytes: bytes))
        if case .established(let rest) = whole {
            try require(bytes.suffix(rest.readableBytes).elementsEqual(rest.readableBytesView), "rest")
        }
        var singly = TunnelHandshake(tunnel)
        for (index, byte) in bytes.enumerated() {
            var step = singly.receive(ByteBuffer(bytes: [byte]))
            if step == .wait { continue }
            if case .established = step {
                step = .established(rest: ByteBuffer(bytes: bytes[(index + 1)...]))
            }
            return try require(step == whole, "\(step) is not \(whole)")
        }
        try require(whole == .wait, "\(whole) only if it comes at once")
    }
}
