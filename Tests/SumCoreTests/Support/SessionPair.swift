import NIOCore

@testable import SumCore

/// Two sessions with nothing but memory between them.
struct SessionPair {
    let client: HTTP2Session
    let server: HTTP2Session
    private(set) var clientEvents: [HTTP2Event] = []
    private(set) var serverEvents: [HTTP2Event] = []
    /// Bytes that are handed over at once.
    var pieceLength = Int.max

    init(server configuration: HTTP2Configuration = .init()) throws {
        client = try HTTP2Session(role: .client)
        server = try HTTP2Session(role: .server, configuration: configuration)
    }

    /// Carries bytes both ways until neither side has any.
    mutating func exchange() throws {
        while true {
            let moved =
                try Self.carry(from: client, to: server, pieceLength)
                + Self.carry(from: server, to: client, pieceLength)
            clientEvents += client.takeEvents()
            serverEvents += server.takeEvents()
            if moved == 0 { return }
        }
    }

    private static func carry(from sender: HTTP2Session, to receiver: HTTP2Session, _ pieceLength: Int) throws
        -> Int
    {
        while try sender.send(limit: 1 << 20) {}
        var output = sender.allOutput()
        let count = output.readableBytes
        while let piece = output.readSlice(length: min(pieceLength, output.readableBytes)),
            piece.readableBytes > 0
        {
            try receiver.receive(piece)
        }
        return count
    }

    mutating func forgetEvents() {
        clientEvents = []
        serverEvents = []
    }
}

extension HTTP2Session {
    /// Takes all of `bytes`, with nobody to judge them between its slices.
    func receive(_ bytes: ByteBuffer) throws {
        var rest = bytes
        while rest.readableBytes > 0 { try receive(sliceOf: &rest) }
    }

    func takeEvents() -> [HTTP2Event] {
        var events: [HTTP2Event] = []
        while let event = takeEvent() { events.append(event) }
        return events
    }

    /// Takes what there is to write, in one piece.
    func allOutput() -> ByteBuffer {
        var output = ByteBuffer()
        takeOutput { output.writeImmutableBuffer($0) }
        return output
    }
}

/// A body whose bytes are there from the start.
class FixedBody: HTTP2Body {
    var bytes: ByteBuffer
    var end: HTTP2BodyState

    init(_ bytes: [UInt8], end: HTTP2BodyState = .finished(trailers: [])) {
        self.bytes = ByteBuffer(bytes: bytes)
        self.end = end
    }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        frame.append(moving: &bytes)
        return bytes.readableBytes == 0 ? end : .open
    }

    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? { nil }
}

/// The same, handed over without a copy wherever it is asked for that.
final class PiecewiseBody: FixedBody {
    private(set) var piecesTaken = 0

    override func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? {
        guard let piece = bytes.readSlice(length: min(maximum, bytes.readableBytes)) else { return nil }
        piecesTaken += 1
        return (piece, bytes.readableBytes == 0 ? end : .open)
    }
}

extension [HTTP2Event] {
    /// The body bytes that arrived on a stream.
    func body(of streamID: Int32) -> [UInt8] {
        flatMap { event -> [UInt8] in
            if case .data(streamID, let bytes) = event { [UInt8](bytes.readableBytesView) } else { [] }
        }
    }

    func headers(of streamID: Int32) -> [[HTTP2Field]] {
        compactMap { if case .headers(streamID, let fields, _, _) = $0 { fields } else { nil } }
    }

    func closingCode(of streamID: Int32) -> HTTP2ErrorCode? {
        for case .closed(streamID, let code) in self { return code }
        return nil
    }

    func hasEnd(of streamID: Int32) -> Bool {
        contains {
            switch $0 {
            case .endStream(streamID), .headers(streamID, _, _, endStream: true): true
            default: false
            }
        }
    }
}

enum Sample {
    static let request = [
        HTTP2Field(":method", "POST"), HTTP2Field(":scheme", "http"),
        HTTP2Field(":path", "/tutorial.NumberService/SumNumbers"), HTTP2Field(":authority", "localhost"),
        HTTP2Field("te", "trailers"), HTTP2Field("content-type", "application/grpc"),
    ]
    static let response = [HTTP2Field(":status", "200"), HTTP2Field("content-type", "application/grpc")]
    static let ok = [HTTP2Field("grpc-status", "0")]
}
