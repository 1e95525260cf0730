import NIOCore

/// Takes an input apart. What is missing at its end is zero, so that every input means something.
struct FuzzInput {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 {
        rest.popFirst() ?? 0
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func takeRest() -> [UInt8] {
        bytes(rest.count)
    }

    /// As many bytes as the next one says.
    mutating func counted() -> [UInt8] {
        bytes(Int(byte()))
    }

    mutating func element<Element>(of choices: [Element]) -> Element {
        choices[Int(byte()) % choices.count]
    }
}

/// Cuts bytes into pieces, where a seed says.
struct Pieces {
    private let longest: Int
    private var state: UInt64
    /// What is left after so many is not cut any more.
    private static let most = 100

    init(seed: UInt8) {
        longest = [Int.max, 1, 2, 7, 20, 100, 1000, 20_000][Int(seed & 7)]
        state = UInt64(seed)
    }

    mutating func cut(_ bytes: [UInt8]) -> [ByteBuffer] {
        var pieces: [ByteBuffer] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = pieces.count < Self.most ? rest.prefix(length()) : rest
            pieces.append(ByteBuffer(bytes: piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }

    mutating func length() -> Int {
        guard longest < .max else { return longest }
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return 1 + Int(state >> 33) % longest
    }
}
