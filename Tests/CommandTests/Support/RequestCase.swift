import ScriptedPeers

/// One request, byte by byte, and the server's response to it.
struct RequestCase: Sendable {
    var bytes: [UInt8]
    var expected: Outcome

    /// How the call on stream 1 ends.
    enum Outcome: Equatable, Sendable {
        case sum(Int32)
        case status(Int)
        /// Another HTTP status than 200.
        case http(String)
        case reset(UInt32)
        case goAway(UInt32)
        /// The end of the connection without a GOAWAY.
        case closed
    }

    init(_ expected: Outcome, bytes: [UInt8]) {
        (self.expected, self.bytes) = (expected, bytes)
    }

    init(_ expected: Outcome, _ first: WireFrame, _ others: WireFrame...) {
        self.init(expected, bytes: ([first] + others).flatMap(\.bytes))
    }

    /// A request with this head and body.
    init(_ expected: Outcome, _ head: [WireField] = .request, body: [UInt8] = .message([8, 5])) {
        self.init(expected, bytes: .request(head, body: body))
    }

    /// The largest frame that every peer must accept.
    static let frameSize = 16_384
}

extension [UInt8] {
    /// A message with gRPC's prefix.
    static func message(_ bytes: [UInt8], flag: UInt8 = 0) -> [UInt8] {
        [flag] + UInt32(bytes.count).wireBytes + bytes
    }

    /// A message with a small int32.
    static func number(_ number: UInt8) -> [UInt8] { message([8, number]) }

    /// A request on stream 1.
    ///
    /// - Parameter isOpen: whether the client's side stays open after these bytes.
    static func request(
        _ head: [WireField] = .request, body: [UInt8], frameSize: Int = RequestCase.frameSize,
        isOpen: Bool = false
    ) -> [UInt8] {
        let bytes = WireFrame.headers(head, on: 1).bytes + frames(of: body, size: frameSize)
        return isOpen ? bytes : bytes + WireFrame.data([], on: 1, endStream: true).bytes
    }

    /// DATA frames on stream 1.
    static func frames(of body: [UInt8], size: Int = RequestCase.frameSize) -> [UInt8] {
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: size) {
            bytes +=
                WireFrame.data(Array(body[start..<Swift.min(start + size, body.count)]), on: 1).bytes
        }
        return bytes
    }
}

extension RequestCase.Outcome {
    init(_ answer: WireSocket.Answer) {
        if let status = answer.httpStatus, status != "200" {
            self = .http(status)
        } else if let status = answer.status {
            self = status == "0" ? .sum(Self.number(in: answer.body)) : .status(Int(status) ?? -1)
        } else if let code = answer.reset {
            self = .reset(code)
        } else if let code = answer.goAway {
            self = .goAway(code)
        } else {
            self = .closed
        }
    }

    /// The number in the only message of a response, which has no bytes for 0.
    private static func number(in body: [UInt8]) -> Int32 {
        var number: UInt64 = 0
        for (index, byte) in body.dropFirst(6).enumerated() { number |= UInt64(byte & 0x7f) << (7 * index) }
        return Int32(truncatingIfNeeded: number)
    }
}
