internal import SystemPackage

/// Where text in PEM (RFC 7468) comes from.
public enum PEMSource: Hashable, Sendable {
    /// A file, which is read again when the program reloads.
    case file(String)
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
                return try Self.read(path)
            } catch {
                throw TLSConfigurationError("cannot read \(self): \(error)")
            }
        }
    }

    private static func read(_ path: String) throws(Errno) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly)
            return try file.closeAfter {
                var bytes: [UInt8] = []
                while true {
                    let piece = try unsafe [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
                        // Sound because read(2) writes at most the given number of bytes, and says how many.
                        count = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer))
                    }
                    guard !piece.isEmpty else { return bytes }
                    bytes += piece
                    guard bytes.count <= sizeLimit else { throw Errno.fileTooLarge }
                }
            }
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError
        }
    }
}
