internal import NIOCore

/// What calls have not got to in their turns, and the turns that follow (`TurnQueue`).
extension ServerConnection: TurnTaker {
    /// Has a stream with a backlog wait for its turn, and the connection for its own.
    func wait(_ stream: ServerStream) {
        backlogged.append(stream.id)
        if backlogged.count == 1 { resources?.turns.add(self) }
    }

    func takeTurn(within turn: inout TurnBudget) -> Bool {
        guard let now = context?.eventLoop.now, !isClosing else { return false }
        // The client may have more to say, to which nobody listens now.
        keepalive?.received(at: now)
        submit { () throws(NGHTTP2Error) in
            while !turn.isSpent, let id = backlogged.popFirst() {
                guard let stream = streams[id], let bytes = stream.takeBacklog() else { continue }
                if stream.call.receive() {
                    var slice = turn.split(TurnBudget.callSlice)
                    defer { turn.add(slice) }
                    try offer(bytes, to: stream, within: &slice)
                } else {
                    try session.creditStream(id, bytes.readableBytes + stream.dropBacklog())
                }
                if !stream.backlog.isEmpty {
                    backlogged.append(id)
                } else if stream.endIsWaiting {
                    try receiveEnd(id)
                }
            }
        }
        if backlogged.isEmpty { resumeReading() }
        return !backlogged.isEmpty
    }
}
