/// One HTTP/2 frame on the wire (RFC 9113 section 4.1), valid or not.
///
/// The factories make valid frames; every property can be changed afterwards, so that any misbehaviour can be
/// scripted.
public struct WireFrame: Equatable, Sendable {
    public struct Kind: RawRepresentable, Equatable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let data = Self(rawValue: 0)
        public static let headers = Self(rawValue: 1)
        public static let priority = Self(rawValue: 2)
        public static let rstStream = Self(rawValue: 3)
        public static let settings = Self(rawValue: 4)
        public static let pushPromise = Self(rawValue: 5)
        public static let ping = Self(rawValue: 6)
        public static let goAway = Self(rawValue: 7)
        public static let windowUpdate = Self(rawValue: 8)
        public static let continuation = Self(rawValue: 9)
    }

    public struct Flags: OptionSet, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let ack = Self(rawValue: 0x1)
        public static let endStream = Self(rawValue: 0x1)
        public static let endHeaders = Self(rawValue: 0x4)
        public static let padded = Self(rawValue: 0x8)
    }

    public var kind: Kind
    public var flags: Flags = []
    public var streamID: UInt32 = 0
    public var payload: [UInt8] = []
    /// The fields of a complete header block; only in frames from a `WireReader`.
    public internal(set) var fields: [WireField] = []

    public init(_ kind: Kind, flags: Flags = [], on streamID: UInt32 = 0, payload: [UInt8] = []) {
        self.kind = kind
        self.flags = flags
        self.streamID = streamID
        self.payload = payload
    }

    /// The first bytes of a client's connection, before its first frame (RFC 9113 section 3.4).
    public static let preface = [UInt8]("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    public var bytes: [UInt8] {
        UInt32(payload.count).wireBytes.suffix(3) + [kind.rawValue, flags.rawValue] + streamID.wireBytes
            + payload
    }
}

// MARK: Making frames

extension WireFrame {
    /// - Parameter settings: identifiers and values (RFC 9113 section 6.5.2), such as 3, MAX_CONCURRENT_STREAMS.
    public static func settings(_ settings: KeyValuePairs<UInt16, UInt32> = [:]) -> WireFrame {
        WireFrame(
            .settings,
            payload: settings.flatMap { [UInt8($0.key >> 8), UInt8($0.key & 0xff)] + $0.value.wireBytes })
    }

    public static let settingsAck = WireFrame(.settings, flags: .ack)

    /// A header block, complete unless `endHeaders` is false: then CONTINUATION frames follow.
    public static func headers(
        _ fields: [WireField], on streamID: UInt32, endStream: Bool = false, endHeaders: Bool = true
    ) -> WireFrame {
        WireFrame(
            .headers, flags: (endStream ? Flags.endStream : []).union(endHeaders ? .endHeaders : []),
            on: streamID, payload: WireField.encode(fields))
    }

    public static func continuation(_ fields: [WireField], on streamID: UInt32, endHeaders: Bool) -> WireFrame
    {
        WireFrame(
            .continuation, flags: endHeaders ? .endHeaders : [], on: streamID,
            payload: WireField.encode(fields))
    }

    /// - Parameter padding: the bytes of padding; nil for a frame without the field that counts them.
    public static func data(
        _ bytes: [UInt8], on streamID: UInt32, endStream: Bool = false, padding: UInt8? = nil
    ) -> WireFrame {
        var frame = WireFrame(.data, flags: endStream ? .endStream : [], on: streamID, payload: bytes)
        if let padding {
            frame.flags.insert(.padded)
            frame.payload = [padding] + bytes + Array(repeating: 0, count: Int(padding))
        }
        return frame
    }

    /// - Parameter code: see RFC 9113 section 7, such as 8, CANCEL.
    public static func rstStream(_ code: UInt32, on streamID: UInt32) -> WireFrame {
        WireFrame(.rstStream, on: streamID, payload: code.wireBytes)
    }

    public static func goAway(lastStreamID: UInt32, code: UInt32 = 0, debug: String = "") -> WireFrame {
        WireFrame(.goAway, payload: lastStreamID.wireBytes + code.wireBytes + debug.utf8)
    }

    public static func ping(_ payload: [UInt8] = Array("sum ping".utf8), ack: Bool = false) -> WireFrame {
        WireFrame(.ping, flags: ack ? .ack : [], payload: payload)
    }

    public static func windowUpdate(_ increment: UInt32, on streamID: UInt32 = 0) -> WireFrame {
        WireFrame(.windowUpdate, on: streamID, payload: increment.wireBytes)
    }

    /// RFC 9113 section 6.3: deprecated, and thus without effect.
    public static func priority(on streamID: UInt32, dependingOn other: UInt32 = 0, weight: UInt8 = 15)
        -> WireFrame
    {
        WireFrame(.priority, on: streamID, payload: other.wireBytes + [weight])
    }

    public static func pushPromise(_ fields: [WireField], promised: UInt32, on streamID: UInt32) -> WireFrame
    {
        WireFrame(
            .pushPromise, flags: .endHeaders, on: streamID,
            payload: promised.wireBytes + WireField.encode(fields))
    }
}

// MARK: Reading them

extension WireFrame {
    public var isAck: Bool { (kind == .settings || kind == .ping) && flags.contains(.ack) }
    public var endsStream: Bool { (kind == .headers || kind == .data) && flags.contains(.endStream) }

    /// The error code of RST_STREAM or GOAWAY.
    public var errorCode: UInt32? {
        switch kind {
        case .rstStream: UInt32(wireBytes: payload)
        case .goAway: UInt32(wireBytes: payload.dropFirst(4))
        default: nil
        }
    }

    /// The last stream id of a GOAWAY.
    public var lastStreamID: UInt32? { kind == .goAway ? UInt32(wireBytes: payload) : nil }
    /// The debug data of a GOAWAY.
    public var debugText: String {
        kind == .goAway ? String(decoding: payload.dropFirst(8), as: UTF8.self) : ""
    }
    /// The increment of a WINDOW_UPDATE.
    public var increment: UInt32? { kind == .windowUpdate ? UInt32(wireBytes: payload) : nil }

    /// The value a SETTINGS frame gives to `identifier`.
    public func setting(_ identifier: UInt16) -> UInt32? {
        guard kind == .settings else { return nil }
        for start in stride(from: 0, to: payload.count - 5, by: 6)
        where UInt16(payload[start]) << 8 | UInt16(payload[start + 1]) == identifier {
            return UInt32(wireBytes: payload.dropFirst(start + 2))
        }
        return nil
    }

    /// The value of the first field called `name`.
    public subscript(name: String) -> String? {
        fields.first { $0.name == Array(name.utf8) }.map { String(decoding: $0.value, as: UTF8.self) }
    }
}

extension UInt32 {
    /// Big-endian, as all numbers of HTTP/2 and gRPC.
    public var wireBytes: [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: self >> $0) }
    }

    init?(wireBytes: some Collection<UInt8>) {
        guard wireBytes.count >= 4 else { return nil }
        self = wireBytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
