internal import Tracing

/// What the spans of servers and clients have in common (grpc/proposal A72).
enum CallSpan {
    /// - Parameters:
    ///   - kind: `Sent`, `Attempt` or `Recv`.
    ///   - path: `/package.Service/Method`.
    static func name(_ kind: String, _ path: String) -> String {
        var name = kind + "."
        for scalar in path.dropFirst().unicodeScalars {
            name.unicodeScalars.append(scalar == "/" ? "." : scalar)
        }
        return name
    }

    static func status(_ status: GRPCStatus) -> SpanStatus {
        guard !status.isOK else { return SpanStatus(code: .ok) }
        let message = status.message.isEmpty ? "" : ", \(status.message.escapedForDisplay)"
        return SpanStatus(code: .error, message: "\(status.code)\(message)")
    }

    /// - Parameter name: `Outbound message` or `Inbound message`.
    static func event(_ name: String, _ message: ObservedMessage) -> SpanEvent {
        // Of a compressed message, only the size on the wire is known.
        let size = message.isCompressed ? "message-size-compressed" : "message-size"
        return SpanEvent(
            name: name,
            attributes: ["sequence-number": .int64(message.number), size: .int64(Int64(message.size))])
    }
}

/// Attributes of gRPC's spans, with OpenTelemetry's names (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/), and
/// two of ours.
extension SpanAttributes {
    mutating func setMethod(_ path: String) {
        self["rpc.system.name"] = "grpc"
        self["rpc.method"] = String(path.dropFirst())
    }

    mutating func setPeer(_ peer: Peer) {
        guard let colon = peer.address.utf8.lastIndex(of: UInt8(ascii: ":")),
            let port = Int64(peer.address[peer.address.index(after: colon)...]), let host = peer.ipAddress
        else {
            self["network.peer.address"] = peer.address.escapedForDisplay
            return
        }
        self["network.peer.address"] = host.text
        self["network.peer.port"] = port
    }

    /// - Parameter requests: the messages of the request, and their bytes.
    mutating func setOutcome(_ status: GRPCStatus, _ path: String, requests: (count: Int64, bytes: Int)) {
        self["rpc.response.status_code"] = "\(status.code)"
        guard path == SumNumbers.path else { return }
        self["sum.numbers"] = requests.count
        self["sum.bytes"] = Int64(requests.bytes)
    }
}
