package import SystemPackage

/// Reads files that must not be long, such as credentials.
package enum SmallFile {
    /// The error for a file that was not read.
    package struct Failure: Error, Hashable, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// The contents of a file.
    ///
    /// - Parameter limit: the most bytes that it may have.
    package static func read(_ path: FilePath, limit: Int) throws(Failure) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(path, .readOnly)
            defer { try? file.close() }
            var contents: [UInt8] = []
            while contents.count <= limit {
                // Sound because read(2) writes at most as many bytes as the array's memory has, and returns how many.
                let piece = try unsafe [UInt8](unsafeUninitializedCapacity: 64 << 10) { memory, count in
                    count = try unsafe file.read(into: UnsafeMutableRawBufferPointer(memory))
                }
                guard !piece.isEmpty else { return contents }
                contents += piece
            }
        } catch {
            throw Failure(description: "\(path.string.escapedWhole): \(error)")
        }
        throw Failure(description: "\(path.string.escapedWhole): it has more than \(limit) bytes")
    }

    /// Whether it is a pipe or the like: its contents can be read only once, and reading them again may never end.
    package static func isPipe(_ path: FilePath) -> Bool {
        guard let type = (try? Stat(path))?.type else { return false }
        return type != .regular
    }

    /// Whether others than the file's owner may read it.
    package static func isReadableByOthers(_ path: FilePath) -> Bool {
        guard let stat = try? Stat(path) else { return false }
        return stat.permissions.rawValue & 0o044 != 0
    }
}
