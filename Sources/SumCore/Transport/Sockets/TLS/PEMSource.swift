internal import SystemPackage

/// Where text in PEM (RFC 7468) comes from.
public enum PEMSource: Hashable, Sendable {
    /// A file, which is read again when the program reloads.
    case file(String)
    /// The text itself.
    case bytes([UInt8])
}

extension PEMSource: CustomStringConvertible {
    /// The path of the file, escaped for display.
    public var description: String {
        switch self {
        case .file(let path): path.escapedWhole
        case .bytes: "the given bytes"
        }
    }
}

extension PEMSource {
    /// Many times what all CAs of a system need.
    private static let sizeLimit = 16 << 20

    /// Reads everything. May block.
    func read() throws(TLSConfigurationError) -> [UInt8] {
        switch self {
        case .bytes(let bytes):
            return bytes
        case .file(let path):
            do {
                return try SmallFile.read(FilePath(path), limit: Self.sizeLimit)
            } catch {
                throw TLSConfigurationError("cannot read \(error)")
            }
        }
    }

    /// Whether it can be read only once.
    var isPipe: Bool {
        if case .file(let path) = self { SmallFile.isPipe(FilePath(path)) } else { false }
    }
}
