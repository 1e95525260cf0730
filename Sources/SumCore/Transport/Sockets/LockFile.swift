internal import Glibc
internal import SystemPackage

/// A file lock that only one process can hold (flock(2)). The kernel releases it when the process ends.
struct LockFile: Sendable {
    private let path: FilePath
    private let file: FileDescriptor

    /// Creates the file if necessary, and locks it.
    ///
    /// - Throws: `Errno.wouldBlock` if another process holds the lock; otherwise the reason why the file cannot be
    ///   opened.
    init(_ path: FilePath) throws(Errno) {
        self.path = path
        while true {
            let file = try Self.open(path)
            do throws(Errno) {
                guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { throw Errno(rawValue: errno) }
                // The previous holder may have removed the file after we opened it. Others would then lock a new one.
                if try Stat(file).isSameFile(as: try? Stat(path, followTargetSymlink: false)) {
                    self.file = file
                    return
                }
            } catch {
                try? file.close()
                throw error
            }
            try? file.close()
        }
    }

    private static func open(_ path: FilePath) throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                path, .readWrite, options: [.create, .noFollow, .closeOnExec],
                permissions: .ownerReadWrite)
        } catch let error as Errno {
            throw error
        } catch {
            throw .invalidArgument
        }
    }

    /// Releases the lock, and removes the file if it is empty.
    func release() {
        if let stat = try? Stat(file), stat.type == .regular, stat.size == 0 { try? path.unlink() }
        try? file.close()
    }
}

extension Stat {
    func isSameFile(as other: Stat?) -> Bool {
        deviceID == other?.deviceID && inode == other?.inode
    }
}

extension FilePath {
    /// Removes a file, never a directory.
    func unlink() throws(Errno) {
        // Sound because the path ends with a NUL, and unlink(2) does not keep it.
        guard unsafe withPlatformString({ unsafe Glibc.unlink($0) }) == 0 else {
            throw Errno(rawValue: errno)
        }
    }
}
