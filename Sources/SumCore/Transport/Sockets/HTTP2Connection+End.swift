internal import NIOCore

/// How a connection ends, and the one task that looks after its time limits.
extension HTTP2Connection {
    /// How long the last words to a peer that is goAwaySent may take to leave.
    private static let dismissalLimit = TimeAmount.seconds(1)
    /// How long they may take at the end of another connection.
    static let farewellLimit = TimeAmount.seconds(30)

    /// Gives up: closes at once, whatever is still to be sent.
    func fail(_ error: any Error) {
        guard !isClosing else { return }
        isClosing = true
        failure = error
        context?.close(promise: nil)
    }

    /// Ends the connection for what the peer did, with `lastWords` after what there is to send.
    func dismiss(_ error: any Error, saying lastWords: ByteBuffer = ByteBuffer()) {
        guard let context, !isClosing else { return }
        failure = error
        closeAfterWrites(context, lastWords, within: .zero, atMost: Self.dismissalLimit)
    }

    /// The same, with a GOAWAY that says what it was.
    func dismiss(for offence: GoAwayReason) {
        guard !isClosing else { return }
        failure = offence
        submit { () throws(NGHTTP2Error) in try session.submitGoAway(offence.code, debug: offence.debug) }
        dismiss(offence)
    }

    /// - Parameters:
    ///   - limit: how long the peer has for closing the socket first.
    ///   - bound: when to close, although not all has left.
    func closeAfterWrites(
        _ context: ChannelHandlerContext, _ lastWords: ByteBuffer, within limit: TimeAmount,
        atMost bound: TimeAmount
    ) {
        isClosing = true
        closeLater(bound)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            if limit > .zero { closeLater(limit) } else { context.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(lastWords), promise: written)
    }

    private func closeLater(_ time: TimeAmount) {
        timeCheck?.cancel()
        timeCheck = context?.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            self?.context?.close(promise: nil)
        }
    }

    // MARK: Time

    /// Asks all limits, and has them asked again when one of them wants it.
    func checkTime() {
        guard let context, !isClosing else { return }
        nextTimeCheck = .distantFuture
        if let next = checkTime(context.eventLoop.now) { checkTime(by: next) }
    }

    /// Has `checkTime` called at a moment, unless it is due sooner.
    func checkTime(by moment: NIODeadline) {
        guard let context, !isClosing, moment < nextTimeCheck else { return }
        nextTimeCheck = moment
        timeCheck?.cancel()
        timeCheck = context.eventLoop.assumeIsolated().scheduleTask(deadline: moment) { [weak self] in
            self?.checkTime()
        }
    }
}

/// The peer has not answered a PING in time.
struct PeerIsSilent: Error, CustomStringConvertible {
    let description = "the other side is silent, and has not answered a PING"
}
