import Foundation

extension WireSocket {
    /// The outcome of a flood.
    public struct Flood: Sendable {
        /// How many pieces were sent before the other side disconnected.
        public var sent = 0
        /// Frames received, by kind.
        public var received: [UInt8: Int] = [:]
        /// The last GOAWAY received.
        public var goAway: WireFrame?
        /// Whether the other side disconnected.
        public var hasEnded = false
    }

    /// Sends pieces as fast as the other side accepts them, and reads meanwhile.
    ///
    /// - Parameters:
    ///   - isReading: whether what comes is read before the other side hangs up.
    ///   - waitsForEnd: whether to wait for that after the last piece.
    ///   - piece: makes one, given its number, which counts from 0.
    public func flood(
        _ count: Int, isReading: Bool = true, waitsForEnd: Bool = true, _ piece: (Int) -> [UInt8]
    ) throws -> Flood {
        var flood = Flood()
        var waiting: [UInt8] = []
        var (made, start, isRefused) = (0, 0, false)
        while true {
            if start == waiting.count, made < count {
                (waiting, start) = ([], 0)
                let end = min(made + 100, count)
                while made < end {
                    waiting += piece(made)
                    made += 1
                }
            }
            let hasMore = start < waiting.count && !isRefused
            if !hasMore, !waitsForEnd { break }
            var interest = pollfd(fd: descriptor, events: 0, revents: 0)
            if hasMore { interest.events |= Int16(POLLOUT) }
            if isReading || !hasMore { interest.events |= Int16(POLLIN) }
            guard poll(&interest, 1, 60_000) > 0 else {
                throw Failure(description: "neither taken nor ended in a minute, after \(made) pieces")
            }
            if interest.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0, isReading || !hasMore {
                let bytes = try receiveBytes()
                flood.hasEnded = bytes.isEmpty
                if flood.hasEnded { break }
                for frame in reader.read(bytes) {
                    flood.received[frame.kind.rawValue, default: 0] += 1
                    if frame.kind == .goAway { flood.goAway = frame }
                }
            } else if hasMore {
                let sent = waiting.withUnsafeBytes {
                    Glibc.send(
                        descriptor, $0.baseAddress.map { $0 + start }, $0.count - start,
                        Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
                }
                if sent > 0 { start += sent } else { isRefused = errno != EAGAIN }
            }
        }
        flood.sent = made
        return flood
    }
}
