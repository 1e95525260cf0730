import NIOCore

@testable import SumCore

/// A call of our own, as it goes over the wire.
struct RecordedCall {
    private(set) var fromClient: [UInt8] = []
    private(set) var fromServer: [UInt8] = []

    static let shared = (try? RecordedCall()) ?? { preconditionFailure("our own call fails") }()

    private init() throws {
        let (client, server) = (try HTTP2Session(role: .client), try HTTP2Session(role: .server))
        let request = GRPCRequestHead(path: SumNumbers.path, authority: "localhost", userAgent: "sum/1")
        let stream = try client.submitRequest(request.fields(), body: Answer([0, 0, 0, 0, 2, 8, 6], []))
        try carry(client, server)
        let trailers = [HTTP2Field("grpc-status", "0")]
        try server.submitResponse(
            [HTTP2Field(":status", "200"), HTTP2Field("content-type", "application/grpc")],
            body: Answer([0, 0, 0, 0, 2, 8, 6], trailers), on: stream)
        try carry(client, server)
    }

    private mutating func carry(_ client: HTTP2Session, _ server: HTTP2Session) throws {
        for _ in 0..<3 {
            fromClient += try Self.pass(client, server)
            fromServer += try Self.pass(server, client)
        }
    }

    private static func pass(_ sender: HTTP2Session, _ receiver: HTTP2Session) throws -> [UInt8] {
        _ = try sender.send(limit: 1 << 20)
        var sent: [UInt8] = []
        sender.takeOutput { sent += $0.readableBytesView }
        var bytes = ByteBuffer(bytes: sent)
        while bytes.readableBytes > 0 { try receiver.receive(sliceOf: &bytes) }
        return sent
    }
}

private final class Answer: HTTP2Body {
    private var bytes: ByteBuffer
    private let trailers: [HTTP2Field]

    init(_ bytes: [UInt8], _ trailers: [HTTP2Field]) {
        self.bytes = ByteBuffer(bytes: bytes)
        self.trailers = trailers
    }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        frame.append(moving: &bytes)
        return bytes.readableBytes == 0 ? .finished(trailers: trailers) : .open
    }
}
