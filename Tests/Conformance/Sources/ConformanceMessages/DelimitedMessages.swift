package import Foundation
package import SwiftProtobuf

/// Messages on a pipe. Each follows its length, which is four bytes in network order.
package struct DelimitedMessages: Sendable {
    private let file: FileHandle

    /// Bytes of the longest message accepted, which is the runner's own limit.
    private static let maxLength = 16 << 20
    private static let prefixLength = 4

    package init(_ file: FileHandle) {
        self.file = file
    }

    /// The next message; nil at the end of the file. Blocks the thread.
    package func read<Value: Message>(_ type: Value.Type = Value.self) throws -> Value? {
        let prefix = try bytes(Self.prefixLength)
        guard !prefix.isEmpty else { return nil }
        let length = prefix.reduce(0) { $0 << 8 | Int($1) }
        guard prefix.count == Self.prefixLength, length <= Self.maxLength else {
            throw DelimitedMessagesError(description: "the input is not a message that follows its length")
        }
        let body = try bytes(length)
        guard body.count == length else {
            throw DelimitedMessagesError(description: "the input ends within a message")
        }
        return try Value(serializedBytes: body)
    }

    package func write(_ message: some Message) throws {
        let body: Data = try message.serializedBytes()
        let shifts = (0..<Self.prefixLength).reversed().map { 8 * $0 }
        let prefix = shifts.map { UInt8(truncatingIfNeeded: body.count >> $0) }
        try file.write(contentsOf: Data(prefix) + body)
    }

    /// - Returns: `count` bytes, or fewer when the file ends.
    private func bytes(_ count: Int) throws -> Data {
        var bytes = Data()
        while bytes.count < count, let more = try file.read(upToCount: count - bytes.count), !more.isEmpty {
            bytes += more
        }
        return bytes
    }
}

struct DelimitedMessagesError: Error, CustomStringConvertible {
    var description: String
}
