#if TLS
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// TLS of a client: which CAs it believes, and its own certificate if it has one. Server certificates are always
/// verified: they must be signed by one of the CAs, and have the name that the client was told to connect to.
///
/// The files are read again from time to time (`Configuration.reloadInterval`), so that a client that runs for longer
/// than its certificate is valid needs nothing but new files.
public final class ClientTLS: Sendable {
    private let configuration: Configuration
    private let serverName: CertificateName?
    private let roots: PEMSource
    private let context: TLSContext
    private let nextRead: Mutex<NIODeadline>
    /// Held while files are read; why they could not be used the last time.
    private let refusal = Mutex<TLSConfigurationError?>(nil)

    /// Reads the files and checks them. May block: reading the system's CAs takes some milliseconds.
    public init(_ configuration: Configuration = .init()) throws(TLSConfigurationError) {
        self.configuration = configuration
        do throws(ConnectFailure) {
            serverName = try configuration.serverName.map { name throws(ConnectFailure) in
                try CertificateName(name)
            }
        } catch {
            throw TLSConfigurationError(error.description)
        }
        let roots = try configuration.roots.source()
        self.roots = roots
        context = try TLSContext(
            [roots] + (configuration.identity?.sources ?? [])
        ) { files throws(TLSConfigurationError) in
            try Self.make(configuration, roots, files)
        }
        nextRead = Mutex(Self.deadline(configuration))
    }

    private static func make(
        _ configuration: Configuration, _ roots: PEMSource, _ files: TLSFiles
    ) throws(TLSConfigurationError) -> TLSContext.Made {
        var settings = TLSConfiguration.makeClientConfiguration()
        settings.trustRoots = .certificates(try PEM.certificates(in: roots, files))
        // `TLSHandler` checks the name. NIOSSL would also accept a certificate for the address of the socket, which an
        // attacker of the name's resolution chooses, or for a common name.
        settings.certificateVerification = .noHostnameVerification
        var chain: [NIOSSLCertificate] = []
        if let identity = configuration.identity {
            chain = try identity.chain(in: files)
            settings.certificateChain = chain.map { .certificate($0) }
            settings.privateKey = .privateKey(try identity.privateKey(in: files))
        }
        TLSSettings.apply(
            to: &settings, minimum: configuration.minimum, maximum: configuration.maximum,
            keyLog: configuration.keyLog)
        return TLSContext.Made(
            context: try TLSSettings.context(settings, configuration.identity),
            certificate: chain.first.map(CertificateFacts.init), chainLength: chain.count,
            source: configuration.identity?.certificate)
    }

    /// Reads the files again, for the connections to come. If anything is wrong with them, everything stays as it is.
    /// May block.
    ///
    /// - Returns: whether they have changed.
    @discardableResult
    public func reload() throws(TLSConfigurationError) -> Bool {
        try context.reload()
    }

    /// Whether to `refresh` before the next connection is made.
    var isDue: Bool { nextRead.withLock { $0 } <= .now() }

    /// Reads the files again if it is time. May block. Faults are looked at again before each connection, until they are
    /// gone.
    func refresh() {
        refusal.withLock { refusal in
            // Others that waited for the same reading need no other.
            guard isDue else { return }
            do throws(TLSConfigurationError) {
                try reload()
                refusal = nil
                nextRead.withLock { $0 = Self.deadline(configuration) }
            } catch {
                refusal = error
            }
        }
    }

    private static func deadline(_ configuration: Configuration) -> NIODeadline {
        guard let interval = configuration.reloadInterval else { return .distantFuture }
        return .now() + .nanoseconds(interval.wholeNanoseconds)
    }

    /// Adds to a failure of a connection that newer files could not be used, which may be the reason.
    func explained(_ failure: ConnectFailure) -> ConnectFailure {
        // What may succeed next time has nothing to do with certificates.
        guard !failure.isTemporary, let refusal = refusal.withLock({ $0 }) else { return failure }
        var failure = failure
        failure.description += " (new files cannot be used: \(refusal))"
        return failure
    }

    /// A warning if the client's certificate has expired, will within 7 days, or is not valid yet.
    public var warning: String? {
        guard let identity = configuration.identity else { return nil }
        return context.current.certificate?.warning(at: .now, of: "\(identity.certificate)")
    }

    /// Puts TLS in front of the handlers to be added to a connection.
    ///
    /// - Parameters:
    ///   - host: the host of the target, as written.
    ///   - handshakeEnded: called once, on the event loop.
    func addHandlers(
        to channel: any Channel, host: String, handshakeEnded: @escaping (TLSHandshakeResult) -> Void
    ) throws(ConnectFailure) -> TLSHandler {
        let name = if let serverName { serverName } else { try CertificateName(host) }
        let role = TLSHandler.Role.client(
            name, roots: roots, hasCertificate: configuration.identity != nil)
        do {
            let ssl = try NIOSSLClientHandler(context: context.current.context, serverHostname: name.sni)
            let handler = TLSHandler(ssl, role, limit: nil, handshakeEnded: handshakeEnded)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(ssl)
            try pipeline.addHandler(handler)
            try channel.syncOptions?.setOption(.recvAllocator, value: TLSSettings.readAllocator)
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: TLSSettings.readsPerTurn)
            return handler
        } catch {
            throw ConnectFailure(
                description: "TLS could not begin: '\(name)' cannot be the name of a server")
        }
    }
}
#endif
