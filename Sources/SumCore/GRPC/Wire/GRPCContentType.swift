/// gRPC's content-type: `application/grpc`, optionally with `+` and a codec, optionally with `;` and parameters.
enum GRPCContentType {
    static let standard = "application/grpc"

    /// Whether `value` is gRPC's content-type, with any codec and parameters.
    static func isGRPC(_ value: String) -> Bool {
        if value == standard { return true }
        guard let rest = rest(of: value) else { return false }
        return rest.isEmpty || rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: ";")
    }

    /// Whether the codec is protobuf, which is the default.
    static func isProtobuf(_ value: String) -> Bool {
        guard let codec = rest(of: value)?.prefix(while: { $0 != UInt8(ascii: ";") }) else { return false }
        return codec.isEmpty || codec.lazy.map(lowered).elementsEqual("+proto".utf8)
    }

    /// What follows `application/grpc`, which is compared without case; nil if `value` does not begin with it. Compares
    /// bytes, because a combining mark would be part of the character before it.
    private static func rest(of value: String) -> Substring.UTF8View? {
        guard value.utf8.lazy.map(lowered).starts(with: standard.utf8) else { return nil }
        return value.utf8.dropFirst(standard.utf8.count)
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
