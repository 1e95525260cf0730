internal import NIOCore
internal import SystemPackage

/// A file that gets the secrets of each connection, with which tools such as Wireshark can decrypt what was recorded
/// (RFC 9850). Whoever can read it can read the traffic.
public final class TLSKeyLog: Sendable {
    private let file: SystemPackage.FileDescriptor

    /// Opens the file, which only its owner may read, to append to it.
    public init(path: String) throws(TLSConfigurationError) {
        do {
            file = try SystemPackage.FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.append, .create, .closeOnExec],
                permissions: .ownerReadWrite)
        } catch {
            throw TLSConfigurationError("cannot write TLS secrets to \(path.escapedWhole): \(error)")
        }
    }

    /// Opens the file that the environment variable SSLKEYLOGFILE names, if it does.
    ///
    /// - Parameter warn: is told so, since the variable may have been forgotten.
    public static func fromEnvironment(warn: (String) -> Void) throws(TLSConfigurationError) -> TLSKeyLog? {
        guard let path = Environment.value("SSLKEYLOGFILE") else { return nil }
        let log = try TLSKeyLog(path: path)
        warn(
            "the secrets of TLS are written to \(path.escapedWhole), as SSLKEYLOGFILE says: whoever reads it can decrypt "
                + "the traffic")
        return log
    }

    deinit {
        try? file.close()
    }

    /// Whole lines, in one write(2), so that those of several processes do not mix. A failure is ignored: it must not end
    /// a connection.
    func write(_ lines: ByteBuffer) {
        // Sound because write(2) only reads the bytes.
        _ = try? unsafe lines.withUnsafeReadableBytes { try unsafe file.write($0) }
    }
}
