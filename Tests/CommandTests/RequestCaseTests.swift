import Foundation
import ScriptedPeers
import Testing

/// Valid, unusual and invalid requests, each on a connection of its own, followed by an honest client.
@Suite(.timeLimit(.minutes(10))) struct RequestCaseTests {
    private func expect(
        _ cases: [RequestCase], _ options: [String] = [], singly: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcomes = try await ServerProcess.attacked(
            options, sourceLocation: sourceLocation
        ) { server in
            try cases.map { request in
                let client = try server.connect()
                if singly {
                    try client.sendSingly(request.bytes)
                } else {
                    try client.send(bytes: request.bytes)
                }
                let answer = try client.receiveAnswer()
                try server.callForSum()
                return RequestCase.Outcome(answer)
            }
        }
        #expect(outcomes == cases.map(\.expected), sourceLocation: sourceLocation)
    }

    // MARK: HTTP/2

    @Test("abuse-H4: a whole call, one byte at a time")
    func singleBytes() async throws {
        try await expect([RequestCase(.sum(5))], singly: true)
    }

    @Test(
        "abuse-H5: headers in 8 CONTINUATION frames are accepted; 9 end the connection",
        arguments: [false, true])
    func continuations(_ singly: Bool) async throws {
        let cases = [8, 9].map { count in
            let first = WireFrame.headers(.request, on: 1, endHeaders: false).bytes
            let others = (1...count).flatMap { index in
                WireFrame.continuation([WireField("x", "y")], on: 1, endHeaders: index == count).bytes
            }
            let end = WireFrame.data([], on: 1, endStream: true).bytes
            return RequestCase(
                count == 8 ? .sum(0) : .closed, bytes: first + others + (count == 8 ? end : []))
        }
        try await expect(cases, singly: singly)
    }

    @Test("abuse-H6: 5 bytes per frame, padded by 255, more than the window holds")
    func padding() async throws {
        let pieces = Array(repeatElement([UInt8].number(1), count: 5).joined())
        let block = stride(from: 0, to: 35, by: 5).flatMap {
            WireFrame.data(Array(pieces[$0..<$0 + 5]), on: 1, padding: 255).bytes
        }
        // With its padding each of these bytes takes 52 of the 8 MiB window.
        let count = 300_000 / 35
        let body = Array(repeatElement(block, count: count).joined())
        try await expect([
            RequestCase(
                .sum(Int32(5 * count)),
                bytes: WireFrame.headers(.request, on: 1).bytes + body
                    + WireFrame.data([], on: 1, endStream: true).bytes)
        ])
    }

    @Test("abuse-H7: one message per frame, one over a thousand frames, a thousand in one frame")
    func frames() async throws {
        let thousand = Array(repeatElement([UInt8].number(1), count: 1000).joined())
        let long = [UInt8].message([0x12, 0xe4, 0x07] + Array(repeating: 0, count: 996) + [8, 5])
        try await expect([
            RequestCase(.sum(1000), bytes: .request(body: thousand, frameSize: 7)),
            RequestCase(.sum(5), bytes: .request(body: long, frameSize: 1)),
            RequestCase(.sum(1000), bytes: .request(body: thousand)),
        ])
    }

    // MARK: gRPC

    @Test(
        "abuse-G1, abuse-G2: no messages, with END_STREAM on HEADERS or on DATA, and messages without bytes")
    func zeros() async throws {
        try await expect([
            RequestCase(.sum(0), .headers(.request, on: 1, endStream: true)),
            RequestCase(.sum(0), body: []),
            RequestCase(.sum(0), body: .message([])),
            RequestCase(.sum(7), body: .message([]) + .number(7) + .message([])),
        ])
    }

    @Test("abuse-G3: a prefix of 4 GiB is refused at once, while the stream is open")
    func hugePrefix() async throws {
        try await expect([
            RequestCase(.status(8), bytes: .request(body: [0, 0xff, 0xff, 0xff, 0xff], isOpen: true))
        ])
    }

    @Test("abuse-G4: a message at the limit and one over it, first or later")
    func messageLimit() async throws {
        func message(_ size: Int) -> [UInt8] {
            // Field 2, whose length takes four bytes, and the number 5.
            let length = size - 7
            let varint = [0, 7, 14, 21].map { UInt8(length >> $0 & 0x7f) | ($0 < 21 ? 0x80 : 0) }
            return .message([0x12] + varint + Array(repeating: 0, count: length) + [8, 5])
        }
        let limit = 4 << 10
        try await expect([
            RequestCase(.sum(5), body: message(limit)),
            RequestCase(.status(8), body: .message(Array(repeating: 0, count: 0)) + [0, 0, 0, 0x10, 1]),
            RequestCase(.status(8), body: message(limit) + [0, 0, 0, 0x10, 1]),
        ])
    }

    @Test("abuse-G5, abuse-G6, abuse-G7: compressed messages, and invalid flags")
    func compression() async throws {
        let gzip: [UInt8] = [
            31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 227, 96, 3, 0, 194, 61, 99, 96, 2, 0, 0, 0,
        ]
        let deflate: [UInt8] = [120, 156, 227, 96, 3, 0, 0, 24, 0, 15]
        func call(_ encoding: String) -> [WireField] { .request + [WireField("grpc-encoding", encoding)] }
        try await expect(
            [
                RequestCase(.status(13), body: .message(gzip, flag: 1)),
                RequestCase(.sum(6), call("gzip"), body: .message(gzip, flag: 1)),
                RequestCase(.sum(6), call("deflate"), body: .message(deflate, flag: 1)),
                RequestCase(.sum(11), call("gzip"), body: .message(gzip, flag: 1) + .number(5)),
                RequestCase(.status(13), call("gzip"), body: .message(deflate, flag: 1)),
                RequestCase(.status(12), call("br"), body: .message(gzip, flag: 1)),
            ]
                + [2, 3, 0x7f, 0x80, 0xff].map { RequestCase(.status(13), body: .message([8, 5], flag: $0)) })
    }

    @Test("abuse-G8, abuse-G9: a stream that ends within a message, or after stray bytes")
    func cutShort() async throws {
        let message = [UInt8].number(5)
        try await expect(
            (1...6).map { RequestCase(.status(13), body: Array(message.prefix($0))) }
                + [RequestCase(.status(13), body: message + message + [0, 0, 0])])
    }

    @Test("abuse-G10: unknown and invalid paths")
    func paths() async throws {
        func call(_ path: String) -> [WireField] { .request.with(WireField(":path", path)) }
        try await expect(
            [
                "/tutorial.NumberService/Nope", "/nope/SumNumbers", "/tutorial.NumberService/", "/", "//",
                "/\u{e9}\u{202e}", "/" + String(repeating: "x", count: 4000),
            ].map { RequestCase(.status(12), call($0)) } + [
                RequestCase(.reset(1), .headers(call("tutorial"), on: 1)),
                RequestCase(.reset(1), .headers(call("/x\r\nX: y"), on: 1)),
                RequestCase(.reset(1), .headers(call("/\u{1b}[2J"), on: 1)),
                RequestCase(.reset(1), .headers(call(""), on: 1)),
            ])
    }

    @Test("abuse-G11, abuse-G12, abuse-G13: methods, content-types and te")
    func heads() async throws {
        func with(_ name: String, _ value: String) -> [WireField] { .request.with(WireField(name, value)) }
        try await expect(
            ["GET", "PUT"].map { RequestCase(.http("405"), with(":method", $0)) }
                + ["text/plain", "application/grpc-web", "application/grpcfoo"].map {
                    RequestCase(.http("415"), with("content-type", $0))
                } + [RequestCase(.http("415"), .request.without("content-type"))]
                + ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"].map {
                    RequestCase(.sum(5), with("content-type", $0))
                } + [
                    RequestCase(.sum(5), .request.without("te")),
                    RequestCase(.reset(1), .headers(with("te", "gzip"), on: 1)),
                ])
    }

    @Test("abuse-G14: a content-length that does not match the body")
    func contentLength() async throws {
        func call(_ lengths: String...) -> [WireField] {
            .request + lengths.map { WireField("content-length", $0) }
        }
        try await expect([
            RequestCase(.sum(5), call("7")), RequestCase(.reset(1), call("6")),
            RequestCase(.reset(1), call("8")),
            RequestCase(.reset(1), .headers(call("-1"), on: 1)),
            RequestCase(.reset(1), .headers(call("7", "7"), on: 1)),
        ])
    }

    @Test("abuse-G15: a client's trailers")
    func trailers() async throws {
        let head = WireFrame.headers(.request, on: 1)
        let body = WireFrame.data(.number(5), on: 1)
        try await expect([
            RequestCase(.sum(5), head, body, .headers([WireField("x", "y")], on: 1, endStream: true)),
            RequestCase(.reset(1), head, body, .headers([WireField(":path", "/")], on: 1, endStream: true)),
            RequestCase(.reset(1), head, body, .headers([WireField("x", "y")], on: 1)),
        ])
    }

    @Test("abuse-G16: metadata that is not base64, too long, or in upper case")
    func metadata() async throws {
        try await expect([
            RequestCase(.http("400"), .request + [WireField("x-bin", "?")]),
            RequestCase(.sum(5), .request + Array(repeating: WireField("x", "y"), count: 94)),
            RequestCase(
                .status(8), .headers(.request + Array(repeating: WireField("x", "y"), count: 100), on: 1)),
            RequestCase(.reset(1), .headers(.request + [WireField("X", "y")], on: 1)),
        ])
    }

    @Test(
        "abuse-G17: DATA after END_STREAM ends the connection; after the response it does not harm other calls"
    )
    func lateData() async throws {
        try await expect([
            RequestCase(
                .goAway(5), .headers(.request, on: 1), .data(.number(5), on: 1, endStream: true),
                .data(.number(1), on: 1))
        ])
        try await ServerProcess.attacked { server in
            let client = try server.connect()
            try client.callForSum(on: 1)
            try client.send(.data(.number(1), on: 1))
            try client.callForSum(on: 3)
        }
    }

    @Test("abuse-G18: a status in any script reaches the client, escaped")
    func statusText() async throws {
        let server = try await ServerProcess()
        let result = try await Tool.run(
            "sum-client",
            ["--target", server.address, "--health", "--service", "100 % s\u{fb}r\r\n\u{1b}[2J"])
        #expect(
            result.errors
                == "sum-client: NOT_FOUND: there is no service '100 % s\u{fb}r\\r\\n\\u{1B}[2J' here\n")
        #expect(result.status == 69)
    }

    // MARK: protobuf

    @Test("abuse-P1, abuse-P2, abuse-P3, abuse-P4: unusual encodings of numbers")
    func varints() async throws {
        let minusOne = Array(repeating: UInt8(0xff), count: 9)
        try await expect([
            RequestCase(.sum(-1), body: .message([8] + minusOne + [1])),
            RequestCase(.sum(-1), body: .message([8, 0xff, 0xff, 0xff, 0xff, 0x0f])),
            RequestCase(.status(13), body: .message([8] + minusOne + [0x81, 0])),
            // Of a tenth byte only the lowest bit counts, as in swift-protobuf and protobuf's C++.
            RequestCase(.sum(-1), body: .message([8] + minusOne + [2])),
            RequestCase(.status(13), body: .message([8, 0x80])),
            RequestCase(.sum(7), body: .message([8, 0x87, 0x80, 0x80, 0x80, 0x10])),
            RequestCase(.sum(2), body: .message([8, 1, 8, 2])),
        ])
    }

    @Test("abuse-P5, abuse-P6, abuse-P7: unknown and invalid fields")
    func fields() async throws {
        func groups(_ depth: Int) -> [UInt8] {
            .message(Array(repeating: 0x13, count: depth) + Array(repeating: 0x14, count: depth) + [8, 7])
        }
        let skipped: [[UInt8]] = [
            [0x10, 5], [0x11, 1, 2, 3, 4, 5, 6, 7, 8], [0x12, 2, 1, 2], [0x15, 1, 2, 3, 4],
            [0x13, 0x18, 1, 0x14],
        ]
        let broken: [[UInt8]] = [
            [0x0e], [0x0f], [0, 1], [2, 1, 0], [0x80, 0x80, 0x80, 0x80, 0x10, 1], [0x13, 8, 1], [0x14],
            [0x0a] + Array(repeating: 0x80, count: 9) + [1], [0x0a] + Array(repeating: 0xff, count: 9) + [1],
            [0x0a, 5, 1],
        ]
        try await expect(
            skipped.map { RequestCase(.sum(7), body: .message($0 + [8, 7])) }
                + broken.map { RequestCase(.status(13), body: .number(1) + .message($0)) }
                + [
                    RequestCase(.sum(7), body: groups(90)), RequestCase(.status(13), body: groups(2_000)),
                    RequestCase(.status(8), body: groups(10_000)),
                    RequestCase(.status(8), body: groups(1_000_000)),
                ])
    }

    @Test("abuse-P8: sums that do not fit int32, and a total that is larger only on the way")
    func totals() async throws {
        let most: [UInt8] = .message([8, 0xff, 0xff, 0xff, 0xff, 7])
        let least: [UInt8] = .message([8, 0x80, 0x80, 0x80, 0x80, 0xf8, 0xff, 0xff, 0xff, 0xff, 1])
        let minusOne: [UInt8] = .message([8] + Array(repeating: 0xff, count: 9) + [1])
        try await expect([
            RequestCase(.status(11), body: most + .number(1)),
            RequestCase(.status(11), body: least + minusOne),
        ])
        // A frame with a thousand of them.
        let up = WireFrame.data(Array(repeatElement(most, count: 1000).joined()), on: 1).bytes
        let down = WireFrame.data(Array(repeatElement(least, count: 1000).joined()), on: 1).bytes
        let outcome = try await ServerProcess.attacked { server in
            let client = try server.connect()
            try client.send(.headers(.request, on: 1))
            let count = Scale.count(100, full: 10_000)
            for _ in 0..<count { try client.send(bytes: up) }
            for _ in 0..<count { try client.send(bytes: down) }
            // Each pair of them is -1.
            try client.send(.data(.number(7), on: 1, endStream: true))
            return (RequestCase.Outcome(try client.receiveAnswer()), count)
        }
        #expect(outcome.0 == .sum(Int32(7 - 1000 * outcome.1)))
    }
}
