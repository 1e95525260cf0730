#if TLS
internal import NIOCore
internal import NIOSSL

/// TLS of a server: its certificate, and which certificates clients need. TLS 1.2 and 1.3, with HTTP/2 agreed on by
/// ALPN, and cipher suites with forward secrecy and authenticated encryption.
public final class ServerTLS: Sendable {
    private let configuration: Configuration
    private let context: TLSContext

    /// Reads the files and checks them. May block.
    public init(_ configuration: Configuration) throws(TLSConfigurationError) {
        self.configuration = configuration
        let sources = configuration.identity.sources + (configuration.clientCAs.map { [$0] } ?? [])
        context = try TLSContext(sources) { files throws(TLSConfigurationError) in
            try Self.make(configuration, files)
        }
    }

    private static func make(
        _ configuration: Configuration, _ files: TLSFiles
    ) throws(TLSConfigurationError) -> TLSContext.Made {
        let identity = configuration.identity
        let chain = try identity.chain(in: files)
        var settings = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try identity.privateKey(in: files)))
        if let source = configuration.clientCAs {
            settings.trustRoots = .certificates(try PEM.certificates(in: source, files))
            settings.certificateVerification =
                configuration.clientCertificate == .required
                ? .noHostnameVerification : .optionalVerification
            // Helps clients that have several certificates to choose.
            settings.sendCANameList = true
        }
        TLSSettings.apply(
            to: &settings, minimum: configuration.minimum, maximum: configuration.maximum,
            keyLog: configuration.keyLog)
        return TLSContext.Made(
            context: try TLSSettings.context(settings, identity),
            certificate: chain.first.map(CertificateFacts.init),
            chainLength: chain.count, source: identity.certificate)
    }

    /// Reads the files again, for the connections to come. If anything is wrong with them, everything stays as it is.
    /// May block.
    ///
    /// - Returns: whether they have changed.
    @discardableResult
    public func reload() throws(TLSConfigurationError) -> Bool {
        try context.reload()
    }

    /// The server's certificate, for a log: its names, its serial number, and until when it is valid.
    public var summary: String { context.current.certificate?.summary ?? "" }

    /// A warning if the server's certificate has expired, will within 7 days, or is not valid yet.
    public var warning: String? {
        context.current.certificate?.warning(at: .now, of: "\(configuration.identity.certificate)")
    }

    /// When the server's certificate expires, in seconds since 1970; nil if it is not known.
    public var notAfter: Int? { context.current.certificate?.notAfter.seconds }

    /// Puts TLS in front of the handlers to be added to a connection.
    ///
    /// - Parameters:
    ///   - limit: how long the handshake may take.
    ///   - resources: those of the channel's event loop.
    ///   - handshakeEnded: called once, on the event loop.
    func addHandlers(
        to channel: any Channel, limit: TimeAmount, resources: LoopResources,
        handshakeEnded: @escaping (TLSHandshakeResult) -> Void
    ) throws {
        let ssl = NIOSSLServerHandler(context: context.current.context)
        let role = TLSHandler.Role.server(
            clientCAs: configuration.clientCAs, minimum: configuration.minimum)
        let pipeline = channel.pipeline.syncOperations
        let buffers = resources.buffers
        try pipeline.addHandler(EncryptedReads(buffers))
        let detector = ClearTextDetector()
        try pipeline.addHandler(detector)
        let alerts = AlertDelivery()
        try pipeline.addHandler(alerts)
        try pipeline.addHandler(ssl)
        try pipeline.addHandler(
            TLSHandler(ssl, role, limit: limit, alerts: alerts, handshakeEnded: handshakeEnded) {
                detector.isOver
            })
        try channel.syncOptions?.setOption(
            .recvAllocator, value: buffers.allocator(on: channel.eventLoop))
    }
}

extension CertificateFacts {
    private static let warningTime = 7 * 86_400

    func warning(at now: TLSDate, of source: String) -> String? {
        if now > notAfter { return "the certificate in \(source) expired on \(notAfter)" }
        if now < notBefore { return "the certificate in \(source) is not valid before \(notBefore)" }
        guard notAfter.seconds - now.seconds < Self.warningTime else { return nil }
        return "the certificate in \(source) expires on \(notAfter)"
    }
}
#endif
