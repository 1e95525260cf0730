internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import SystemPackage

/// The file of a Unix domain socket that a server listens on. It outlives a server that was killed.
///
/// While a server listens it holds the lock `PATH.lock`. Without it, of two servers that start at once the second could
/// remove the socket of the first, which it had found dead a moment before.
final class UnixSocketFile: Sendable {
    private let path: FilePath
    private let lock: LockFile
    /// The file that the server has made; nil until it is bound.
    private let made = Mutex<Stat?>(nil)

    enum Failure: Error, CustomStringConvertible {
        case inUse
        case otherKind
        case system(Errno)
        case lock(FilePath, Errno)

        var description: String {
            switch self {
            case .inUse: "\(Errno.addressInUse)"
            case .otherKind: "there is a file of another kind"
            case .system(let error): "\(error)"
            case .lock(let path, let error): "\(error) (\(path))"
            }
        }
    }

    /// Takes the path, and removes the socket of a server that is no more.
    ///
    /// - Throws: when another server has it, or something else is there.
    init(claiming path: String, at address: SocketAddress) async throws(Failure) {
        self.path = FilePath(path)
        let lockPath = FilePath(path + ".lock")
        do {
            lock = try LockFile(lockPath)
        } catch {
            switch error {
            case .wouldBlock: throw .inUse
            // True of the socket's own file too.
            case .noSuchFileOrDirectory, .notDirectory, .readOnlyFileSystem: throw .system(error)
            default: throw .lock(lockPath, error)
            }
        }
        do throws(Failure) {
            try await removeDeadSocket(at: address)
        } catch {
            lock.release()
            throw error
        }
    }

    private func removeDeadSocket(at address: SocketAddress) async throws(Failure) {
        guard let found = try? Stat(path, followTargetSymlink: false) else { return }
        guard found.type == .socket else { throw .otherKind }
        guard try await !Self.isAlive(address) else { throw .inUse }
        do throws(Errno) { try path.unlink() } catch .noSuchFileOrDirectory {} catch { throw .system(error) }
    }

    /// Whether somebody listens there. Only these two errors say that nobody does: one whose backlog is full
    /// (EAGAIN), or who speaks datagrams (EPROTOTYPE), is there.
    private static func isAlive(_ address: SocketAddress) async throws(Failure) -> Bool {
        do {
            let probe = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(to: address).get()
            try? await probe.close()
            return true
        } catch let error as IOError {
            switch Errno(rawValue: error.errnoCode) {
            case .connectionRefused, .noSuchFileOrDirectory: return false
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory:
                throw .system(Errno(rawValue: error.errnoCode))
            default: return true
            }
        } catch {
            return true
        }
    }

    /// Makes a socket with the file.
    ///
    /// NIO is given it bound: of one that it binds itself it removes, at the end, whatever socket has the path then.
    ///
    /// - Parameter mode: the permissions of the file; nil: as the umask has it.
    func bind(to address: SocketAddress, mode: UInt16?) throws(Failure) -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(Errno(rawValue: errno)) }
        do throws(Errno) {
            // The file gets the socket's permissions, less the umask, so it never has more than these.
            if let mode { try Self.check(fchmod(descriptor, mode_t(mode))) }
            // Sound: the call does not keep the pointer.
            try Self.check(unsafe address.withSockAddr { unsafe Glibc.bind(descriptor, $0, socklen_t($1)) })
            let stat = try Stat(path, followTargetSymlink: false)
            made.withLock { $0 = stat }
            if let mode, stat.permissions.rawValue != mode {
                let path = path
                try Self.check(
                    unsafe path.withPlatformString {
                        unsafe fchmodat(AT_FDCWD, $0, mode_t(mode), AT_SYMLINK_NOFOLLOW)
                    })
            }
            return descriptor
        } catch {
            close(descriptor)
            throw .system(error)
        }
    }

    private static func check(_ result: CInt) throws(Errno) {
        guard result == 0 else { throw Errno(rawValue: errno) }
    }

    /// Removes the file if it is still the one that was made, and lets others have the path. To be called while the socket
    /// is open: until it is closed no other file can have its inode.
    func remove() {
        let made = made.withLock { $0 }
        if let made, let now = try? Stat(path, followTargetSymlink: false), now.isSameFile(as: made) {
            try? path.unlink()
        }
        lock.release()
    }
}
