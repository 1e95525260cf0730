import ScriptedPeers
import Testing

/// How much a client can make the server log.
@Suite(.timeLimit(.minutes(10))) struct LogVolumeTests {
    /// The header block of a request for a path that is long when it is escaped. It is added to the peer's table (RFC
    /// 7541 section 6.2.1), so that the next blocks have only six bytes (section 6.1).
    private static let path = "/" + String(repeating: "\u{202e}", count: 400)
    private static let firstBlock: [UInt8] = [
        [0x83, 0x86], [0x41, 1, 0x61], [0x44, 0x7f, 0xb2, 0x08], Array(path.utf8), [0x5f, 16],
        Array("application/grpc".utf8), [0x40, 2], Array("te".utf8), [8], Array("trailers".utf8),
    ].flatMap { $0 as [UInt8] }
    private static let nextBlock: [UInt8] = [0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe]

    @Test(
        "audit-S7: less than four bytes are logged for each byte received, also for short calls with long paths"
    )
    func ratio() async throws {
        // As encoded in the block: 127 plus 0x32 plus 8 times 128 (RFC 7541 section 5.1).
        #expect(Self.path.utf8.count == 1201)
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--log-level", "debug"])
        let address = server.address
        let sent = try await Tool.offload {
            Result {
                var sent = 0
                for _ in 0..<3 {
                    let client = try WireSocket(connectingTo: address)
                    try client.sayHello()
                    for call in UInt32(0)..<500 {
                        let block = call == 0 ? Self.firstBlock : Self.nextBlock
                        let frame = WireFrame(
                            .headers, flags: [.endHeaders, .endStream], on: 2 * call + 1, payload: block)
                        try client.send(frame)
                        sent += frame.bytes.count
                        #expect(try client.receiveAnswer(on: 2 * call + 1).status == "12")
                    }
                }
                return sent
            }
        }.get()
        let log = await server.stop().log
        #expect(log.utf8.count < 4 * sent, "\(log.utf8.count) bytes for \(sent)")
        let counted = log.matches(of: /not-logged-before=(\d+)/).compactMap { Int($0.1) }.reduce(0, +)
        let lines = log.matches(of: /\] call\n/).count
        #expect(lines + counted == 1500)
    }

    @Test("audit-S7: text from a client cannot forge fields of a log line")
    func quoted() async throws {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--log-level", "debug"])
        let address = server.address
        try await Tool.offload {
            Result {
                let client = try WireSocket(connectingTo: address)
                try client.sayHello()
                let path = WireField(":path", "/x\"status=OK\"")
                try client.send(.headers(.request.with(path), on: 1, endStream: true))
                _ = try client.receiveAnswer()
                let foreign = try WireSocket(connectingTo: address)
                try foreign.send(bytes: Array("GET / status=OK HTTP/1.1\r\n\r\n".utf8))
                _ = try foreign.receiveBytes()
            }
        }.get()
        let log = await server.stop().log
        let lines = log.split(separator: "\n").filter { $0.contains("status=OK") }
        #expect(lines.count == 2)
        for line in lines {
            // Without quoted text.
            let fields = line.replacing(/"(?:[^"\\]|\\.)*"/, with: "")
            #expect(!fields.contains("status=OK"), "\(line)")
        }
        #expect(log.contains("status=UNIMPLEMENTED"))
    }
}
