import NIOCore

/// The events of a connection, step by step.
///
/// Random input is hardly ever a valid frame, and never a valid HPACK block of a request. So a step may be a frame
/// with the right length, or a complete list of fields in which one is changed.
struct ConnectionScript {
    enum Step: Equatable {
        case receive([UInt8])
        case wait(TimeAmount)
        /// The socket takes no more bytes, or takes them again.
        case toggleWritability
        /// An action that depends on the role.
        case act(UInt8, UInt8)
    }

    /// How the connection begins, and how the rest of the input is interpreted.
    struct Mode: OptionSet {
        let rawValue: UInt8
        /// The rest is bytes, and no steps.
        static let raw = Mode(rawValue: 1)
        /// The peer has sent a valid preface.
        static let hello = Mode(rawValue: 2)
    }

    let mode: Mode
    /// For the role.
    let variant: UInt8
    private let lists: [[WireField]]
    private var pieces: Pieces
    private var input: FuzzInput
    private var queue: [Step] = []
    private var lastFrame: [UInt8] = []
    /// Bytes that the peer may still send.
    private var budget = 128 << 10

    static let times: [TimeAmount] = [
        .milliseconds(1), .milliseconds(50), .milliseconds(999), .seconds(1), .seconds(2), .seconds(10),
        .seconds(21), .seconds(31), .minutes(1), .minutes(5), .hours(1), .hours(3),
    ]

    /// - Parameter lists: the fields that the peer's header blocks are made of.
    init(_ bytes: [UInt8], lists: [[WireField]]) {
        input = FuzzInput(bytes)
        self.lists = lists
        mode = Mode(rawValue: input.byte())
        variant = input.byte()
        pieces = Pieces(seed: input.byte())
        if mode.contains(.raw) { receive(input.takeRest()) }
    }

    mutating func next() -> Step? {
        while queue.isEmpty {
            guard !input.isEmpty else { return nil }
            read()
        }
        return queue.removeFirst()
    }

    private mutating func receive(_ bytes: [UInt8]) {
        guard bytes.count <= budget else { return }
        budget -= bytes.count
        queue += pieces.cut(bytes).map { .receive([UInt8]($0.readableBytesView)) }
    }

    private mutating func receive(_ frames: WireFrame...) {
        lastFrame = frames.flatMap(\.bytes)
        receive(lastFrame)
    }

    private mutating func read() {
        switch Code(rawValue: input.byte() % 8) ?? .raw {
        case .frame:
            let (kind, flags, stream) = (input.byte(), input.byte(), UInt32(input.byte()))
            receive(
                WireFrame(
                    WireFrame.Kind(rawValue: kind), flags: .init(rawValue: flags), on: stream,
                    payload: input.counted()))
        case .headers:
            readHeaders()
        case .raw:
            receive(input.counted())
        case .wait:
            queue.append(.wait(input.element(of: Self.times)))
        case .act:
            queue.append(.act(input.byte(), input.byte()))
        case .toggleWritability:
            queue.append(.toggleWritability)
        case .numbers:
            let (stream, count, flags) = (UInt32(input.byte()), Int(input.byte()), input.byte())
            let one: [UInt8] = flags & 2 == 0 ? [0, 0, 0, 0, 2, 8, 6] : [0, 0, 0, 0, 3, 8, 0xac, 2]
            let many = Array(repeating: one, count: flags & 4 == 0 ? count : count * 32).flatMap { $0 }
            receive(
                .data(many, on: stream, endStream: flags & 1 != 0, padding: flags & 8 == 0 ? nil : flags))
        case .again:
            let count = min(Int(input.byte()), budget / max(lastFrame.count, 1))
            receive(Array(repeating: lastFrame, count: count).flatMap { $0 })
        }
    }

    private mutating func readHeaders() {
        var fields = input.element(of: lists)
        let (stream, flags) = (UInt32(input.byte()), input.byte())
        if flags & 2 != 0 {
            let index = Int(input.byte()) % (fields.count + 1)
            if index < fields.count {
                fields[index].value = input.counted()
            } else {
                fields.append(
                    WireField(String(decoding: input.counted(), as: UTF8.self), bytes: input.counted()))
            }
        }
        let endStream = flags & 1 != 0
        guard flags & 4 != 0 else {
            return receive(.headers(fields, on: stream, endStream: endStream))
        }
        let half = fields.count / 2
        receive(
            .headers(Array(fields[..<half]), on: stream, endStream: endStream, endHeaders: false),
            .continuation(Array(fields[half...]), on: stream, endHeaders: true))
    }

    /// The byte that a step begins with.
    enum Code: UInt8 {
        case frame, headers, raw, wait, act, toggleWritability, numbers, again
    }
}

// MARK: Writing scripts

extension ConnectionScript {
    /// The beginning of an input.
    static func begin(_ mode: Mode = .hello, variant: UInt8 = 0, pieces: UInt8 = 0) -> [UInt8] {
        [mode.rawValue, variant, pieces]
    }

    static func frame(_ frame: WireFrame) -> [UInt8] {
        [
            Code.frame.rawValue, frame.kind.rawValue, frame.flags.rawValue, UInt8(clamping: frame.streamID),
            UInt8(clamping: frame.payload.count),
        ] + frame.payload
    }

    static func headers(_ list: UInt8, on stream: UInt8, endStream: Bool = false, split: Bool = false)
        -> [UInt8]
    {
        [Code.headers.rawValue, list, stream, (endStream ? 1 : 0) | (split ? 4 : 0)]
    }

    /// - Parameter index: of the field whose value is another.
    static func headers(
        _ list: UInt8, on stream: UInt8, endStream: Bool = false, changing index: UInt8, to value: String
    ) -> [UInt8] {
        [Code.headers.rawValue, list, stream, endStream ? 3 : 2, index, UInt8(value.utf8.count)] + value.utf8
    }

    static func raw(_ bytes: [UInt8]) -> [UInt8] {
        [Code.raw.rawValue, UInt8(clamping: bytes.count)] + bytes
    }

    static func wait(_ index: UInt8) -> [UInt8] { [Code.wait.rawValue, index] }
    static func act(_ action: UInt8, _ argument: UInt8 = 0) -> [UInt8] {
        [Code.act.rawValue, action, argument]
    }
    static let toggleWritability = [Code.toggleWritability.rawValue]
    static func numbers(_ count: UInt8, on stream: UInt8, _ flags: UInt8 = 1) -> [UInt8] {
        [Code.numbers.rawValue, stream, count, flags]
    }
    static func again(_ count: UInt8) -> [UInt8] { [Code.again.rawValue, count] }

    /// What a peer of either role may do wrong, or to annoy.
    static let mischief: [[UInt8]] = [
        frame(.ping()) + again(120),
        frame(.settings([4: 0])) + frame(.settings([4: 0x7fff_ffff])) + again(40),
        frame(.settings([5: 1])), frame(.settings([1: 0, 3: 0, 6: 1])),
        frame(.windowUpdate(0x7fff_ffff)) + again(2), frame(.windowUpdate(0)), frame(.windowUpdate(1, on: 1)),
        frame(.goAway(lastStreamID: 0, code: 11, debug: "too_many_pings")), frame(.goAway(lastStreamID: 1)),
        frame(.priority(on: 1)) + again(200), frame(WireFrame(.init(rawValue: 200))) + again(200),
        frame(.data([], on: 1)) + again(200), frame(.rstStream(8, on: 1)), frame(.rstStream(0, on: 1)),
        frame(.data([0, 0xff, 0xff, 0xff, 0xff], on: 1)), frame(.data([1, 0, 0, 0, 0], on: 1)),
        frame(.pushPromise(.request, promised: 2, on: 1)), raw([0, 0x40, 1, 0, 0, 0, 0, 0, 1]),
        frame(.data([0, 0, 0, 0, 2, 8], on: 1, endStream: true)),
        raw([0, 0, 1, 1, 5, 0, 0, 0, 1, 0xff]), raw([0, 0, 0, 9, 4, 0, 0, 0, 1]),
        frame(.data([1, 2, 3], on: 1, padding: 200)), frame(.ping(ack: true)), frame(.settingsAck),
    ]
}
