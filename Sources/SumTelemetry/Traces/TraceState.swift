/// The value of a `tracestate` (https://www.w3.org/TR/trace-context/#tracestate-header): what several tracers say of a
/// trace, as members `key=value`, separated by commas. It is passed on unchanged, or not at all.
enum TraceState {
    private static let memberLimit = 32
    /// More than the 512 bytes that every tracer passes on.
    private static let lengthLimit = 2048

    /// The value, if it is valid; otherwise an empty one, which counts as none.
    static func valid(_ text: String) -> String {
        guard text.utf8.count <= lengthLimit else { return "" }
        let members = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { $0.trimmed }
            // Empty members are allowed, and say nothing.
            .filter { !$0.isEmpty }
        guard members.count <= memberLimit, members.allSatisfy(isMember) else { return "" }
        let keys = members.map { Array($0.prefix { $0 != UInt8(ascii: "=") }) }
        guard Set(keys).count == keys.count else { return "" }
        return members.map { String(Substring($0)) }.joined(separator: ",")
    }

    private static func isMember(_ member: Substring.UTF8View) -> Bool {
        guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return false }
        return isKey(member[..<equals]) && isValue(member[member.index(after: equals)...])
    }

    /// A name, or a tenant and a system: `acme@rojo`.
    private static func isKey(_ key: Substring.UTF8View) -> Bool {
        guard let first = key.first, key.count <= 256, isLowerLetter(first) || isDigit(first) else {
            return false
        }
        let rest = key.dropFirst().filter { byte in
            !(isLowerLetter(byte) || isDigit(byte) || "_-*/".utf8.contains(byte))
        }
        // What else is in it may only be one at sign.
        return rest.allSatisfy { $0 == UInt8(ascii: "@") } && rest.count <= 1
    }

    private static func isValue(_ value: Substring.UTF8View) -> Bool {
        (1...256).contains(value.count)
            && value.allSatisfy {
                (0x20...0x7e).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=")
            }
    }

    private static func isLowerLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension Substring.UTF8View {
    /// Without spaces and tabs around it.
    fileprivate var trimmed: Substring.UTF8View {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var rest = drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return rest
    }
}
