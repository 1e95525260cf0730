import NIOCore

@testable import SumCore

extension FuzzTarget {
    /// abuse-F1: the messages, and the error after them, do not depend on where the stream is cut, and equal those of
    /// a simple reference parser. Messages that are written again are read again.
    public static let deframer = FuzzTarget("deframer", seeds: Framing.seeds) { bytes in
        var input = FuzzInput(bytes)
        let framing = Framing(&input)
        var pieces = Pieces(seed: input.byte())
        let stream = framing.stream(&input)
        let slow = framing.readSlowly(stream)
        try require(framing.read([ByteBuffer(bytes: stream)]) == slow, "read whole, the stream differs")
        try require(framing.read(pieces.cut(stream)) == slow, "read in pieces, the stream differs")
        try framing.rewrite(slow.messages, &pieces)
    }
}

/// How the messages of a stream are framed.
struct Framing {
    let limit: Int
    let compression: GRPCCompression
    /// Whether the input has messages without prefixes, which it is hard to guess right.
    private let addsPrefixes: Bool

    struct Outcome: Equatable {
        var messages: [[UInt8]] = []
        var error: GRPCStatus.Code?
    }

    init(_ input: inout FuzzInput) {
        let choice = input.byte()
        addsPrefixes = choice & 0x80 != 0
        limit = [4 << 20, 0, 5, 10, 11, 12, 100, 1000][Int(choice & 7)]
        compression = [.identity, .gzip, .deflate, .identity][Int(choice >> 3 & 3)]
    }

    func stream(_ input: inout FuzzInput) -> [UInt8] {
        guard addsPrefixes else { return input.takeRest() }
        var stream = ByteBuffer()
        let writer = MessageWriter(compression: compression)
        while !input.isEmpty {
            let kind = input.byte()
            let message = input.bytes(Int(kind & 0x7f))
            try? writer.write(message, compressed: kind & 0x80 != 0, to: &stream)
        }
        return [UInt8](stream.readableBytesView)
    }

    func read(_ pieces: [ByteBuffer]) -> Outcome {
        var reader = MessageReader(maxLength: limit, compression: compression)
        var outcome = Outcome()
        do throws(GRPCStatus) {
            for piece in pieces {
                var piece = piece
                while let message = try reader.next(from: &piece) {
                    outcome.messages.append([UInt8](message.readableBytesView))
                }
            }
            try reader.finish()
        } catch {
            outcome.error = error.code
        }
        return outcome
    }

    /// The reference parser: counts bytes from the beginning.
    func readSlowly(_ stream: [UInt8]) -> Outcome {
        var outcome = Outcome()
        var rest = stream[...]
        while !rest.isEmpty {
            let prefix = Array(rest.prefix(5))
            guard prefix.count == 5 else { return outcome.failing(.internalError) }
            let length = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
            guard prefix[0] == 0 || (prefix[0] == 1 && compression != .identity) else {
                return outcome.failing(.internalError)
            }
            guard length <= limit else { return outcome.failing(.resourceExhausted) }
            let message = Array(rest.dropFirst(5).prefix(length))
            guard message.count == length else { return outcome.failing(.internalError) }
            rest = rest.dropFirst(5 + length)
            guard prefix[0] == 1 else {
                outcome.messages.append(message)
                continue
            }
            do throws(GRPCStatus) {
                let plain = try ReceivedMessage(isCompressed: true, bytes: ByteBuffer(bytes: message))
                    .decompressed(compression, limit: limit)
                outcome.messages.append([UInt8](plain.readableBytesView))
            } catch {
                return outcome.failing(error.code)
            }
        }
        return outcome
    }

    fileprivate func rewrite(_ messages: [[UInt8]], _ pieces: inout Pieces) throws {
        let writer = MessageWriter(compression: compression)
        var stream = ByteBuffer()
        for message in messages { try writer.write(message, to: &stream) }
        var reader = MessageReader(maxLength: 8 << 20, compression: compression)
        var again: [[UInt8]] = []
        for piece in pieces.cut([UInt8](stream.readableBytesView)) {
            var piece = piece
            while let message = try reader.next(from: &piece) {
                again.append([UInt8](message.readableBytesView))
            }
        }
        try require(again == messages && reader.isAtBoundary, "written again, the messages differ")
    }
}

extension Framing.Outcome {
    fileprivate func failing(_ code: GRPCStatus.Code) -> Self {
        Self(messages: messages, error: code)
    }
}

extension Framing {
    /// Streams of every kind, with the two bytes that say how they are read.
    static let seeds: [[UInt8]] = {
        let numbers: [UInt8] = [0, 0, 0, 0, 2, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 8, 0xac, 2]
        let negative: [UInt8] = [
            0, 0, 0, 0, 11, 8, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
        ]
        let unusual: [UInt8] = [0, 0, 0, 0, 7, 0x1a, 2, 0x68, 0x69, 8, 0x85, 0]
        let groups: [UInt8] = [0, 0, 0, 0, 6, 0x1b, 0x23, 0x24, 0x1c, 8, 7]
        let huge: [UInt8] = [0, 0xff, 0xff, 0xff, 0xff]
        let many = Array(repeating: numbers + negative, count: 20).flatMap { $0 }
        let streams: [[UInt8]] = [
            numbers, negative, numbers + unusual + numbers, groups, huge, numbers.dropLast(), [0, 0, 0],
            [1, 0, 0, 0, 1, 0], [2, 0, 0, 0, 0], many, many + unusual + many,
        ]
        let beginnings: [[UInt8]] = [[0, 0], [7, 0x33], [0, 9]]
        var seeds = streams.flatMap { stream in beginnings.map { $0 + stream } }
        for (choice, compression) in [(8, GRPCCompression.gzip), (16, .deflate)] as [(UInt8, GRPCCompression)]
        {
            let writer = MessageWriter(compression: compression)
            var stream = ByteBuffer()
            for message in [[8, 6], [], Array(repeating: 8, count: 300)] as [[UInt8]] {
                try? writer.write(message, to: &stream)
            }
            seeds.append([choice, 3] + stream.readableBytesView)
            seeds.append([0x80 | choice, 3, 0x82, 8, 6, 2, 8, 5])
        }
        seeds.append([0x80, 0, 2, 8, 1, 0, 3, 8, 0xac, 2, 6, 8, 0xff, 0xff, 0xff, 0xff, 0x0f])
        return seeds
    }()
}
