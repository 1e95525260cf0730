/// Finds the messages in framed bytes that arrive in pieces cut anywhere. It looks at their prefixes alone.
struct MessageScanner {
    /// Complete messages so far.
    private(set) var count: Int64 = 0

    private var prefixLength = 0
    private var isCompressed = false
    private var messageLength = 0
    /// Bytes of the message that have not come yet.
    private var missing = 0

    /// Scans the next piece.
    ///
    /// - Parameters:
    ///   - limit: the number of messages after which nothing more is scanned.
    ///   - found: is given each message when its last byte has come.
    mutating func scan(_ bytes: RawSpan, limit: Int64 = .max, _ found: (ObservedMessage) -> Void = { _ in }) {
        var position = 0
        while position < bytes.byteCount, count < limit {
            if prefixLength < MessagePrefix.length {
                addToPrefix(bytes.byte(at: position))
                position += 1
            } else {
                let step = min(missing, bytes.byteCount - position)
                missing -= step
                position += step
            }
            guard prefixLength == MessagePrefix.length, missing == 0 else { continue }
            found(ObservedMessage(number: count, size: messageLength, isCompressed: isCompressed))
            count += 1
            (prefixLength, messageLength) = (0, 0)
        }
    }

    private mutating func addToPrefix(_ byte: UInt8) {
        if prefixLength == 0 {
            isCompressed = byte != 0
        } else {
            messageLength = messageLength << 8 | Int(byte)
        }
        prefixLength += 1
        if prefixLength == MessagePrefix.length { missing = messageLength }
    }
}

/// A message of a call, as observers see it.
public struct ObservedMessage: Hashable, Sendable {
    /// How many messages came before it in its direction.
    public var number: Int64
    /// Bytes on the wire, without the five-byte prefix.
    public var size: Int
    /// Whether it is compressed, so that the decompressed size is another.
    public var isCompressed: Bool
}

/// The number of messages that a call has carried.
public struct MessageCounts: Hashable, Sendable {
    /// Messages received.
    public var received: Int64
    /// Messages sent.
    public var sent: Int64

    /// Creates counts from the messages received and sent so far.
    public init(received: Int64 = 0, sent: Int64 = 0) {
        self.received = received
        self.sent = sent
    }
}

extension MessagePrefix {
    /// The bytes of `count` messages without their prefixes.
    ///
    /// - Parameter bytes: bytes on the wire. The last message may be incomplete, and counts with its prefix.
    static func removed(from bytes: Int, count: Int64) -> Int {
        max(0, bytes - length * Int(clamping: count))
    }
}
