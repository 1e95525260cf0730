extension WireSocket {
    /// The first bytes of a well-behaved client.
    public func sayHello() throws {
        try send(bytes: WireFrame.preface)
        try send(.settings(), .settingsAck)
    }

    /// Calls SumNumbers with three numbers, and ignores frames of other streams.
    ///
    /// - Throws: `Failure` unless the response is their sum.
    public func callForSum(on streamID: UInt32 = 1) throws {
        try send(
            .headers(.request, on: streamID),
            .data(
                [0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 2, 8, 2, 0, 0, 0, 0, 2, 8, 3], on: streamID, endStream: true
            ))
        let answer = try receiveAnswer(on: streamID)
        guard answer.status == "0", answer.body == [0, 0, 0, 0, 2, 8, 6] else {
            throw Failure(description: "not the sum 6: \(answer)")
        }
    }

    /// How a stream ended.
    public struct Answer: Equatable, Sendable {
        public var httpStatus: String?
        public var status: String?
        public var message: String?
        public var body: [UInt8] = []
        /// The code of its RST_STREAM.
        public var reset: UInt32?
        /// The code of the connection's GOAWAY.
        public var goAway: UInt32?
        /// All fields of the last header block.
        public var fields: [WireField] = []
    }

    /// Collects what arrives on a stream until it ends with END_STREAM or RST_STREAM, or with the connection.
    public func receiveAnswer(on streamID: UInt32 = 1) throws -> Answer {
        var answer = Answer()
        while let frame = try receive() {
            if frame.kind == .goAway { answer.goAway = frame.errorCode }
            guard frame.streamID == streamID else { continue }
            switch frame.kind {
            case .headers:
                answer.httpStatus = answer.httpStatus ?? frame[":status"]
                answer.status = frame["grpc-status"] ?? answer.status
                answer.message = frame["grpc-message"] ?? answer.message
                answer.fields = frame.fields
            case .data: answer.body += frame.payload
            case .rstStream: answer.reset = frame.errorCode
            default: break
            }
            if frame.endsStream || answer.reset != nil { break }
        }
        // The connection's window is all that its calls share; the stream has gone with its own.
        if !answer.body.isEmpty { try? send(.windowUpdate(UInt32(answer.body.count))) }
        return answer
    }
}
