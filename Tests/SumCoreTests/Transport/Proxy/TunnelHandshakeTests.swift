import NIOCore
import Testing

@testable import SumCore

@Suite struct TunnelHandshakeTests {
    private static func handshake(
        _ proxy: String = "p:3128", host: String = "sum", port: Int = 50051
    ) throws -> TunnelHandshake {
        TunnelHandshake(Tunnel(proxy: try HTTPProxy(proxy), host: host, port: port))
    }

    /// Feeds bytes in pieces that end where `ends` says, until there is an answer, and then gives it the rest.
    private static func step(_ bytes: [UInt8], ends: [Int], _ proxy: String) throws -> TunnelHandshake.Step {
        var handshake = try handshake(proxy)
        var start = 0
        for end in ends + [bytes.count] {
            let step = handshake.receive(ByteBuffer(bytes: bytes[start..<end]))
            start = end
            switch step {
            case .wait: continue
            case .failed: return step
            case .established(var rest):
                rest.writeBytes(bytes[end...])
                return .established(rest: rest)
            }
        }
        return .wait
    }

    /// The answer must not depend on how it is split: whole, byte by byte, and in two pieces at every place.
    private static func step(_ text: String, _ proxy: String = "p:3128") throws -> TunnelHandshake.Step {
        let bytes = Array(text.utf8)
        let whole = try step(bytes, ends: [], proxy)
        #expect(try step(bytes, ends: Array(1..<max(bytes.count, 1)), proxy) == whole)
        if bytes.count < 1000 {
            for end in bytes.indices {
                #expect(try step(bytes, ends: [end], proxy) == whole, "split after \(end) bytes")
            }
        }
        return whole
    }

    private static func failure(_ words: String, isTemporary: Bool = false) -> TunnelHandshake.Step {
        .failed(ConnectFailure(description: words, isTemporary: isTemporary))
    }

    // MARK: The request

    @Test("grpc-K20: the request has Host, and credentials only if the proxy's URL has some")
    func request() throws {
        let agent = "User-Agent: \(Version.userAgent(after: ""))\r\n"
        #expect(
            String(buffer: try Self.handshake().request())
                == "CONNECT sum:50051 HTTP/1.1\r\nHost: sum:50051\r\n\(agent)\r\n")
        #expect(
            String(
                buffer: try Self.handshake("http://Aladdin:open%20sesame@p", host: "::1", port: 1).request())
                == "CONNECT [::1]:1 HTTP/1.1\r\nHost: [::1]:1\r\n\(agent)"
                + "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n")
    }

    @Test(
        "A name that would break the request is refused",
        arguments: ["a\r\nb: c", "a b", "a\u{0}", "", "\u{e9}"].filter { !$0.isEmpty })
    func badName(_ name: String) throws {
        let error = #expect(throws: ConnectFailure.self) { try Self.handshake(host: name).request() }
        #expect(error?.isTemporary == false)
        #expect(error?.description == "a proxy can only be asked for a name in ASCII, not for '\(name)'")
    }

    // MARK: Tunnels

    @Test(
        "grpc-K20: any 2xx opens the tunnel, and what is behind the blank line is the server's",
        arguments: [
            "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 Connection established\r\n\r\n", "HTTP/1.1 200\r\n\r\n",
            "HTTP/1.1 200 \r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 299 x\r\nA: b\r\nC: d\r\n\r\n",
            "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\nA: b\n\r\n", "HTTP/1.1 200 OK\r\nA: b\n\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: no name\r\nno colon\r\n folded\r\n\r\n",
        ])
    func established(_ answer: String) throws {
        for rest in ["", "\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n", "\u{0}\u{0}\u{0}\u{4}"] {
            #expect(try Self.step(answer + rest) == .established(rest: ByteBuffer(string: rest)))
        }
    }

    @Test(
        "An answer that is not complete leaves the client waiting",
        arguments: [
            "", "H", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r",
            "HTTP/1.1 100 C\r\n\r\n",
            "HTTP/1.1 403 Forbidden",
        ])
    func waiting(_ answer: String) throws {
        #expect(try Self.step(answer) == .wait)
    }

    // MARK: Failures

    @Test(
        "grpc-K20: other statuses fail; those that may pass are temporary",
        arguments: [
            ("403 Forbidden", "403 Forbidden", false), ("404 Not Found", "404 Not Found", false),
            ("429 Too Many Requests", "429 Too Many Requests", true), ("500 x", "500 x", true),
            ("503 Service Unavailable", "503 Service Unavailable", true), ("502", "502", true),
            ("302 Found", "302 Found", false), ("101 Switching Protocols", "101 Switching Protocols", false),
            ("403 a\u{1b}[31m\u{7}b", "403 a\\u{1B}[31m\\u{07}b", false),
            (
                "403 \(String(repeating: "x", count: 81))", "403 \(String(repeating: "x", count: 80))...",
                false
            ),
        ])
    func refused(_ status: String, _ words: String, _ isTemporary: Bool) throws {
        for rest in ["", "A: b\r\n\r\n<html>"] {
            #expect(
                try Self.step("HTTP/1.1 \(status)\r\n\(rest)")
                    == Self.failure(
                        "proxy http://p:3128 answered \(words) to CONNECT sum:50051", isTemporary: isTemporary
                    ))
        }
    }

    @Test("407 says what is wrong with the proxy's URL, but nothing of its password")
    func authentication() throws {
        let words = "proxy http://p:3128 answered 407 Who? to CONNECT sum:50051"
        #expect(
            try Self.step("HTTP/1.1 407 Who?\r\n")
                == Self.failure("\(words) (its URL needs a user name and a password)"))
        #expect(
            try Self.step("HTTP/1.1 407 Who?\r\n", "u:w@p:3128")
                == Self.failure("\(words) (it does not accept the user name and password in its URL)"))
    }

    @Test(
        "What is not HTTP/1 is not taken for an answer",
        arguments: [
            "\r\n", "\n", "\u{0}\u{0}\u{12}\u{4}", "\u{15}\u{3}", "HTTP/2 200 OK\r\n", "HTTP/1.1\r\n",
            "HTTP/1.1 20\r\n", "HTTP/1.1 2000 x\r\n", "HTTP/1.1 +20 x\r\n", "HTTP/1.1  200 x\r\n",
            "HTTP/1.1 099 x\r\n", "HTTP/1.1 600 x\r\n", "HTTP/1.1x200 x\r\n", "http/1.1 200 OK\r\n",
            "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 100 Continue\r\n\r\nHello", "HTTP/1.1 \u{0}\u{0}\u{0} x\r\n",
        ])
    func notHTTP(_ answer: String) throws {
        #expect(
            try Self.step(answer)
                == Self.failure("proxy http://p:3128 does not answer in HTTP/1.1 to CONNECT sum:50051"))
    }

    @Test("An answer of more than 16 KiB is refused, also if it is one line or many 1xx")
    func tooLong() throws {
        let limit = TunnelHandshake.maxSize
        let failure = Self.failure(
            "proxy http://p:3128 answered with more than 16384 bytes of headers to CONNECT sum:50051")
        let start = "HTTP/1.1 200 OK\r\n"
        let fields = String(repeating: "a: b\r\n", count: 1 << 13)
        #expect(try Self.step(start + fields) == failure)
        #expect(try Self.step(start + String(repeating: "a", count: limit)) == failure)
        #expect(try Self.step("HTTP/1.1 403 \(String(repeating: "a", count: limit))") == failure)
        #expect(
            try Self.step(String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 1 << 10)) == failure)

        let end = "\r\n\r\n"
        let most = start + String(repeating: "a", count: limit - start.utf8.count - end.utf8.count) + end
        #expect(try Self.step(most + "rest") == .established(rest: ByteBuffer(string: "rest")))
    }

    @Test("A proxy that closes or says nothing")
    func noAnswer() throws {
        let handshake = try Self.handshake()
        #expect(
            handshake.closed
                == ConnectFailure(
                    description:
                        "proxy http://p:3128 closed the connection before it answered CONNECT sum:50051",
                    isTemporary: true))
        #expect(
            handshake.silence.description
                == "proxy http://p:3128 took the connection but did not answer CONNECT sum:50051")
    }
}
