internal import FoundationEssentials
internal import NIOCore
internal import NIOPosix

/// The file of a Unix domain socket, which outlives a server that was killed.
enum UnixSocketFile {
    /// Whether a server takes connections there.
    static func isAnswered(_ address: SocketAddress) async -> Bool {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        guard let probe = try? await bootstrap.connect(to: address).get() else { return false }
        try? await probe.close()
        return true
    }

    /// Removes a socket that nobody answers at, so that another can take its path.
    ///
    /// - Throws: `IsOfAnotherKind` if something else has the path.
    static func removeLeftover(_ path: String) throws {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return }
        guard attributes[.type] as? FileAttributeType == .typeSocket else { throw IsOfAnotherKind() }
        remove(path)
    }

    struct IsOfAnotherKind: Error, CustomStringConvertible {
        var description: String { "there is a file of another kind" }
    }

    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }
}
