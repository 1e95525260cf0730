/// A header or trailer field of any bytes, valid or not.
public struct WireField: Equatable, Sendable {
    public var name: [UInt8]
    public var value: [UInt8]

    public init(_ name: String, _ value: String) {
        self.init(name, bytes: Array(value.utf8))
    }

    public init(_ name: String, bytes value: [UInt8]) {
        self.name = Array(name.utf8)
        self.value = value
    }

    /// The fields in HPACK's plainest form: literal, without indexing and Huffman code (RFC 7541 section 6.2.2).
    public static func encode(_ fields: [WireField]) -> [UInt8] {
        fields.flatMap { [0] + encode($0.name) + encode($0.value) }
    }

    /// A string: its length as an integer with a prefix of 7 bits (RFC 7541 section 5.1), then its bytes.
    private static func encode(_ text: [UInt8]) -> [UInt8] {
        guard text.count >= 127 else { return [UInt8(text.count)] + text }
        var length: [UInt8] = [127]
        var rest = text.count - 127
        while rest >= 128 {
            length.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return length + [UInt8(rest)] + text
    }
}

extension [WireField] {
    /// The request headers of SumNumbers.
    public static let request = [
        WireField(":method", "POST"), WireField(":scheme", "http"),
        WireField(":path", "/tutorial.NumberService/SumNumbers"), WireField(":authority", "localhost"),
        WireField("te", "trailers"), WireField("content-type", "application/grpc"),
    ]

    /// The headers of a response with messages.
    public static let response = [
        WireField(":status", "200"), WireField("content-type", "application/grpc"),
    ]

    /// Trailers; together with `response` in one block, the response to a call that fails without messages.
    public static func trailers(_ status: Int, _ message: String = "") -> [WireField] {
        [WireField("grpc-status", "\(status)")]
            + (message.isEmpty ? [] : [WireField("grpc-message", message)])
    }

    /// The same fields with some values replaced. New fields are appended.
    public func with(_ changes: WireField...) -> [WireField] {
        changes.reduce(into: self) { fields, change in
            if let index = fields.firstIndex(where: { $0.name == change.name }) {
                fields[index] = change
            } else {
                fields.append(change)
            }
        }
    }

    public func without(_ name: String) -> [WireField] {
        filter { $0.name != [UInt8](name.utf8) }
    }
}
