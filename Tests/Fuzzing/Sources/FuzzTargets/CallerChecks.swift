import NIOCore

@testable import SumCore

/// What tells the server who its clients are: headers of the PROXY protocol, and files of tokens.
extension TextCheck {
    /// Every beginning of a header is incomplete, and what follows a header does not change it.
    static let proxyHeader = TextCheck([
        "PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n", "PROXY TCP6 2001:db8::1 ::1 1 2\r\nPRI",
        "PROXY UNKNOWN\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n", "PROXY TCP4 \r\n",
        "\r\n\r\n\0\r\nQUIT\n\u{21}\u{11}\0\u{0c}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\0\u{9}\0\u{9}rest",
        "\r\n\r\n\0\r\nQUIT\n\u{20}\0\0\u{3}abc",
    ]) { (input: inout FuzzInput) in
        let bytes = input.takeRest()
        let read = { (bytes: ArraySlice<UInt8>) in
            ProxyHeader.read(ByteBuffer(bytes: bytes).readableBytesView)
        }
        let whole = read(bytes[...])
        switch whole {
        case .incomplete:
            try require(bytes.count < ProxyHeader.longest, "\(bytes.count) bytes are not enough")
        case .complete(let header, let length):
            try require((1...bytes.count).contains(length), "\(length) of \(bytes.count) bytes")
            try require(read(bytes[..<length]) == whole, "what follows changes \(whole)")
            for count in 0..<length {
                try require(read(bytes[..<count]) == .incomplete, "\(count) bytes are enough for \(whole)")
            }
            if case .client(let address) = header {
                try require(Peer(address: address).ipAddress != nil, "'\(address)' is not an address")
            }
        case .invalid(let reason):
            try require(reason.escapedForDisplay == reason, "'\(reason)' is not printable")
        }
    }

    /// Every token of a valid file is known by its name, and no other word. An error quotes no token.
    static let tokens = TextCheck([
        "0123456789abcdef me\n", "# all\n\n0123456789abcdef\r\n0123456789abcdeg\tyou # and me\n",
        "0123456789abcdef a b", "short me", "0123456789abcdef\n0123456789abcdef", "0123456789abcd=f",
        "0123456789abcdef \u{1b}",
    ]) { (input: inout FuzzInput) in
        let bytes = input.takeRest()
        let table: TokenTable
        do throws(TokenTable.InvalidFile) {
            table = try TokenTable(bytes)
        } catch {
            // Shorter words are no tokens, and may be ours.
            let tokens = words(of: bytes).joined().filter { $0.utf8.count >= TokenTable.shortest }
            try require(
                !tokens.contains { error.description.contains($0) }, "'\(error)' quotes a token")
            return
        }
        for line in words(of: bytes) {
            guard let token = line.first, !token.hasPrefix("#") else { continue }
            let name = line.dropFirst().first.flatMap { $0.hasPrefix("#") ? nil : $0 }
            try require(
                table.owner(of: token.utf8) == .known(name: name), "'\(token)' is not '\(name ?? "")'")
        }
        try require(table.owner(of: []) == .unknown, "no token is known")
    }

    /// The words of each line.
    private static func words(of bytes: [UInt8]) -> [[String]] {
        bytes.split(separator: UInt8(ascii: "\n")).map { line in
            line.split { " \t\r".utf8.contains($0) }.map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
