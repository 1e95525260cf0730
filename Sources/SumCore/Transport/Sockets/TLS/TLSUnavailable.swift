#if !TLS
internal import NIOCore

// What stands in for TLS in a build without it (the trait `TLS` of the package), which is sooner done. Nobody can have
// one of these objects, so that nothing is sent in clear text for which TLS was asked.

extension TLSConfigurationError {
    static let unavailable = Self("this program was built without TLS (the package's trait TLS)")
}

/// TLS of a server, which this build does not have.
public final class ServerTLS: Sendable {
    private let none: Never

    /// - Throws: that there is no TLS in this build.
    public init(_ configuration: Configuration) throws(TLSConfigurationError) {
        throw .unavailable
    }

    @discardableResult
    public func reload() throws(TLSConfigurationError) -> Bool { switch none {} }
    public var summary: String { switch none {} }
    public var warning: String? { switch none {} }

    public var notAfter: Int? { switch none {} }

    func addHandlers(
        to channel: any Channel, limit: TimeAmount, resources: LoopResources,
        handshakeEnded: @escaping (TLSHandshakeResult) -> Void
    ) throws {
        switch none {}
    }
}

/// TLS of a client, which this build does not have.
public final class ClientTLS: Sendable {
    private let none: Never

    /// - Throws: that there is no TLS in this build.
    public init(_ configuration: Configuration = .init()) throws(TLSConfigurationError) {
        throw .unavailable
    }

    @discardableResult
    public func reload() throws(TLSConfigurationError) -> Bool { switch none {} }
    public var warning: String? { switch none {} }

    var isDue: Bool { switch none {} }
    func refresh() { switch none {} }
    func explained(_ failure: ConnectFailure) -> ConnectFailure { switch none {} }
    func addHandlers(
        to channel: any Channel, host: String, handshakeEnded: @escaping (TLSHandshakeResult) -> Void
    ) throws(ConnectFailure) -> TLSHandler {
        switch none {}
    }
}

/// The handshake, which this build does not have.
final class TLSHandler {
    private let none: Never

    private init(none: Never) { self.none = none }

    var isHandshaking: Bool { switch none {} }
    var certificate: PeerCertificate? { switch none {} }
    var version: Peer.TLSVersion? { switch none {} }
}
#endif
