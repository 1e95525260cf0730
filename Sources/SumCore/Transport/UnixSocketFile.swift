internal import FoundationEssentials
internal import NIOCore
internal import NIOPosix

/// The file of a Unix domain socket, which outlives a server that was killed.
enum UnixSocketFile {
    /// Whether a server takes connections there.
    static func isAnswered(_ path: String) async -> Bool {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        guard let probe = try? await bootstrap.connect(unixDomainSocketPath: path).get() else { return false }
        try? await probe.close()
        return true
    }

    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }
}
