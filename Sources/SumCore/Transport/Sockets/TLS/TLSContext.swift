#if TLS
internal import NIOSSL
internal import Synchronization

/// What new connections use: made of files that can be read again.
///
/// Connections keep the context with which they began, so its replacement disturbs none. A new context also ends the
/// sessions that the old one would have resumed, which are not verified again. So it is replaced from time to time even if
/// the files stay the same.
final class TLSContext: Sendable {
    struct Made: Sendable {
        var context: NIOSSLContext
        /// Our own certificate.
        var certificate: CertificateFacts?
        /// The certificates that we show: our own, and those of CAs.
        var chainLength = 0
        /// Where they come from.
        var source: PEMSource?

        /// Why it must not replace `old`, although it could be used: the file may have been written in part, or be an old
        /// one.
        fileprivate func fault(after old: Made, at now: TLSDate) -> TLSConfigurationError? {
            guard let certificate, let source, let before = old.certificate else { return nil }
            if now > certificate.notAfter, now <= before.notAfter {
                return TLSConfigurationError(
                    "the new certificate in \(source) expired on \(certificate.notAfter)")
            }
            if old.chainLength > 1, chainLength == 1, !certificate.isSelfSigned {
                return TLSConfigurationError(
                    "\(source) has lost the certificates of CAs that followed the first one: was it written in part?"
                )
            }
            return nil
        }
    }

    private struct State {
        var made: Made
        var fingerprint: TLSFiles.Fingerprint
        var madeAt: ContinuousClock.Instant
    }

    /// How long a context is used, and the keys of its session tickets with it: they should change in less than a day
    /// (testssl.sh). BoringSSL would change them after two.
    static let lifetime = Duration.seconds(12 * 3600)

    private let sources: [PEMSource]
    private let make: @Sendable (TLSFiles) throws(TLSConfigurationError) -> Made
    private let state: Mutex<State>

    /// Reads the sources. May block.
    init(
        _ sources: [PEMSource], at now: ContinuousClock.Instant = .now,
        make: @escaping @Sendable (TLSFiles) throws(TLSConfigurationError) -> Made
    ) throws(TLSConfigurationError) {
        self.sources = sources
        self.make = make
        let files = try TLSFiles(reading: sources)
        state = Mutex(State(made: try make(files), fingerprint: files.fingerprint, madeAt: now))
    }

    var current: Made { state.withLock { $0.made } }

    /// Reads the sources again, unless one is a pipe. If anything is wrong with them, the context stays as it is. May
    /// block.
    ///
    /// - Returns: whether they have changed.
    func reload(at now: ContinuousClock.Instant = .now) throws(TLSConfigurationError) -> Bool {
        guard !sources.contains(where: \.isPipe) else { return false }
        let files = try TLSFiles(reading: sources)
        let fingerprint = files.fingerprint
        let (hasChanged, isOld) = state.withLock {
            ($0.fingerprint != fingerprint, now - $0.madeAt >= Self.lifetime)
        }
        guard hasChanged || isOld else { return false }
        let made = try make(files)
        if let fault = made.fault(after: current, at: .now) { throw fault }
        state.withLock { $0 = State(made: made, fingerprint: fingerprint, madeAt: now) }
        return hasChanged
    }
}
#endif
