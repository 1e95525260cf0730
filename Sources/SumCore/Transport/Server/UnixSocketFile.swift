internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import SystemPackage

/// The file of a Unix domain socket on which a server listens. It remains when the server is killed.
///
/// While a server listens, it holds the lock `PATH.lock`. Without the lock, one of two servers that start at the same
/// time could remove the new socket of the other, after it has found the old one dead.
final class UnixSocketFile: Sendable {
    private let path: FilePath
    private let lock: LockFile
    /// The file that this server has created; nil until it is bound.
    private let made = Mutex<Stat?>(nil)

    enum Failure: Error, CustomStringConvertible {
        case inUse
        case otherKind
        case system(Errno)
        case lock(FilePath, Errno)

        var description: String {
            switch self {
            case .inUse: "\(Errno.addressInUse)"
            case .otherKind: "the file is not a socket"
            case .system(let error): "\(error)"
            case .lock(let path, let error): "\(error) (\(path))"
            }
        }
    }

    /// Locks the path, and removes the socket of a server that no longer runs.
    ///
    /// - Throws: `Failure` if another server uses the path, or the file is not a socket.
    init(claiming path: String, at address: SocketAddress) async throws(Failure) {
        self.path = FilePath(path)
        let lockPath = FilePath(path + ".lock")
        do {
            lock = try LockFile(lockPath)
        } catch {
            switch error {
            case .wouldBlock: throw .inUse
            // These errors apply to the socket's file as well, so the lock need not be mentioned.
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

    /// Whether a process listens on the socket. Only ECONNREFUSED and ENOENT mean that none does: a full backlog gives
    /// EAGAIN, a datagram socket EPROTOTYPE.
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

    /// Creates a socket bound to the path.
    ///
    /// NIO gets the socket already bound, because after binding a path itself it removes whatever socket has the path
    /// when it closes.
    ///
    /// - Parameters:
    ///   - address: the address of the path.
    ///   - mode: the permissions of the file; nil: set by the umask.
    /// - Returns: the file descriptor of the socket.
    func bind(to address: SocketAddress, mode: UInt16?) throws(Failure) -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(Errno(rawValue: errno)) }
        do throws(Errno) {
            // The file is created with the socket's mode less the umask, so it never has more permissions than that.
            if let mode { try Self.check(fchmod(descriptor, mode_t(mode))) }
            // Sound because bind(2) does not keep the pointer.
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

    /// Removes the file if it is still the one this server has created, and releases the lock. Call this before the
    /// socket is closed: until then, no other file can have its inode.
    func remove() {
        let made = made.withLock { $0 }
        if let made, let now = try? Stat(path, followTargetSymlink: false), now.isSameFile(as: made) {
            try? path.unlink()
        }
        lock.release()
    }
}
