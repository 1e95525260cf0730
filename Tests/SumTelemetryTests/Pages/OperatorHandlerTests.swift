import NIOCore
import NIOEmbedded
import Testing

@testable import SumCore
@testable import SumTelemetry

/// One connection of an operator's listener, over a clock that is moved by hand.
@Suite struct OperatorHandlerTests {
    private struct Answer {
        var head: String
        var body: [UInt8]

        var status: Substring { head.prefix { $0 != "\r\n" } }
        func field(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("\(name):") }
                .map { String($0.dropFirst(name.count + 2)) }
        }
    }

    private static let pages = [
        OperatorPage("/short") { request in
            OperatorPage.Response(headers: [("X-Accept", request.accept)], "short\n")
        },
        OperatorPage("/long") { _ in .init(contentType: "text/x", String(repeating: "long ", count: 1000)) },
        OperatorPage("/fails") { _ in .init(status: 503, "no\n") },
    ]

    private let channel = EmbeddedChannel()

    private func start() throws {
        let pages = Dictionary(uniqueKeysWithValues: Self.pages.map { ($0.path, $0) })
        try OperatorListener.prepare(channel, pages, NIOLoopBoundBox(0, eventLoop: channel.eventLoop))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    private func send(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    /// The answers since this was last called.
    private func answers(to methods: [String] = ["GET"]) throws -> [Answer] {
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
        var answers: [Answer] = []
        while let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
            var answer = Answer(head: String(decoding: bytes[..<end.lowerBound], as: UTF8.self), body: [])
            bytes.removeSubrange(..<end.upperBound)
            let method = answers.count < methods.count ? methods[answers.count] : "GET"
            let length = answer.field("content-length").flatMap { Int($0) } ?? 0
            if method != "HEAD" {
                answer.body = Array(bytes.prefix(length))
                bytes.removeFirst(min(length, bytes.count))
            }
            answers.append(answer)
        }
        #expect(bytes.isEmpty)
        return answers
    }

    private func answer(_ request: String, _ fields: [String] = []) throws -> Answer {
        try start()
        let head = ["\(request) HTTP/1.1", "Host: localhost"] + fields
        try send(head.joined(separator: "\r\n") + "\r\n\r\n")
        let method = String(request.prefix { $0 != " " })
        return try #require(try answers(to: [method]).first)
    }

    @Test("GET has the page, which nobody is to keep or guess the type of")
    func get() throws {
        let answer = try answer("GET /short?x=y", ["Accept: a/b", "Accept: c/d;q=1"])
        #expect(answer.status == "HTTP/1.1 200 OK")
        #expect(String(decoding: answer.body, as: UTF8.self) == "short\n")
        #expect(answer.field("content-type") == "text/plain; charset=utf-8")
        #expect(answer.field("content-length") == "6")
        #expect(answer.field("cache-control") == "no-store")
        #expect(answer.field("x-content-type-options") == "nosniff")
        #expect(answer.field("x-accept") == "a/b,c/d;q=1")
        #expect(channel.isActive)
    }

    @Test("HEAD has the same head, and no body")
    func head() throws {
        let answer = try answer("HEAD /short")
        #expect(answer.status == "HTTP/1.1 200 OK")
        #expect(answer.field("content-length") == "6")
        #expect(answer.body.isEmpty)
    }

    @Test("Pages have their own statuses; everything else is 404 or 405")
    func statuses() throws {
        try start()
        let requests = [
            ("GET /fails", "503 Service Unavailable"), ("GET /none", "404 Not Found"),
            ("GET /short/", "404 Not Found"), ("GET *", "404 Not Found"),
            ("DELETE /none", "404 Not Found"), ("DELETE /short", "405 Method Not Allowed"),
            ("OPTIONS /short", "405 Method Not Allowed"),
        ]
        for (request, status) in requests {
            try send("\(request) HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try #require(try answers().first)
            #expect(answer.status == "HTTP/1.1 \(status)", "\(request)")
            if status.hasPrefix("405") { #expect(answer.field("allow") == "GET, HEAD") }
            if status.hasPrefix("404") {
                #expect(String(decoding: answer.body, as: UTF8.self).contains("/fails /long /short"))
            }
        }
        #expect(channel.isActive)
    }

    @Test(
        "Long pages are compressed for who accepts gzip",
        arguments: [
            ("gzip", true), ("deflate, gzip;q=0.5", true), ("*", true), ("GZIP", true), ("", false),
            ("gzip;q=0", false), ("gzip;q=0, *", false), ("identity", false), ("br", false),
        ])
    func compression(_ accepted: String, _ isCompressed: Bool) throws {
        let answer = try answer("GET /long", ["Accept-Encoding: \(accepted)"])
        #expect(answer.field("content-encoding") == (isCompressed ? "gzip" : nil))
        #expect(answer.field("vary") == "Accept-Encoding")
        var body = ByteBuffer(bytes: answer.body)
        if isCompressed {
            #expect(body.readableBytes < 200)
            body = try Zlib.decompress(body, with: .gzip, limit: 1 << 20)
        }
        #expect(String(buffer: body) == String(repeating: "long ", count: 1000))
    }

    @Test("Requests that wait for each other are answered in order; HTTP/1.0 closes")
    func pipelining() throws {
        try start()
        try send(
            "GET /short HTTP/1.1\r\nHost: x\r\n\r\nGET /fails HTTP/1.1\r\nHost: x\r\n\r\nGET /short HTTP/1.0\r\n\r\n"
        )
        let answers = try answers()
        #expect(
            answers.map(\.status) == [
                "HTTP/1.1 200 OK", "HTTP/1.1 503 Service Unavailable", "HTTP/1.0 200 OK",
            ])
        #expect(!channel.isActive)
    }

    @Test("After a body, or when the client wants it, the connection is closed")
    func closing() throws {
        let answer = try answer("POST /short", ["Content-Length: 5", "", "hello"])
        #expect(answer.status == "HTTP/1.1 405 Method Not Allowed")
        #expect(answer.field("connection") == "close")
        #expect(!channel.isActive)
    }

    @Test(
        "What is no HTTP, or has too much in its head, gets 400",
        arguments: [
            "no HTTP\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n",
            "GET /short HTTP/1.1\r\n" + (0..<70).map { "x\($0): y\r\n" }.joined() + "\r\n",
            "GET /short HTTP/1.1\r\nx: " + String(repeating: "y", count: 9000) + "\r\n\r\n",
        ])
    func malformed(_ request: String) throws {
        try start()
        try? send(request)
        let answer = try #require(try answers().first)
        #expect(answer.status == "HTTP/1.1 400 Bad Request")
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }

    @Test(
        "A client that asks for nothing in 10 seconds is cut off, though it sends bytes; each answer gives it 10 more"
    )
    func timeLimit() throws {
        try start()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        try send("GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try answers().count == 1)
        for byte in "GET /shor" {
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            try send("\(byte)")
        }
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }
}
