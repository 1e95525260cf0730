internal import Glibc
internal import SystemPackage

/// A lock that one process at a time holds, by way of a file (flock(2)). The kernel releases it when the process ends.
struct LockFile: Sendable {
    private let path: FilePath
    private let file: FileDescriptor

    /// - Throws: `Errno.wouldBlock` when another process holds the lock, or why there can be no such file.
    init(_ path: FilePath) throws(Errno) {
        self.path = path
        while true {
            let file = try Self.open(path)
            do throws(Errno) {
                guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { throw Errno(rawValue: errno) }
                // The holder before us may have removed the file after we opened it; others would then lock a new one.
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

    /// Gives the lock up, and removes the file unless somebody keeps something in it.
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
        // Sound: the path ends with a NUL, and the call does not keep it.
        guard unsafe withPlatformString({ unsafe Glibc.unlink($0) }) == 0 else {
            throw Errno(rawValue: errno)
        }
    }
}
