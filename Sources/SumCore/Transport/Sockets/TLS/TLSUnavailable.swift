#if !TLS
internal import NIOCore

// What stands in for TLS in a build without it (the trait `TLS` of the package), which is sooner done. Nobody can have
// one of these objects, so that nothing is sent in clear text for which TLS was asked: none is ever made, and so `none` is
// never called. It is a closure since the compiler takes no property of the type Never in a debug build.

extension TLSConfigurationError {
    static let unavailable = Self("this program was built without TLS (the package's trait TLS)")
}

/// TLS of a server, which this build does not have.
public final class ServerTLS: Sendable {
    private let none: @Sendable () -> Never

    /// - Throws: that there is no TLS in this build.
    public init(_ configuration: Configuration) throws(TLSConfigurationError) {
        throw .unavailable
    }

    @discardableResult
    public func reload() throws(TLSConfigurationError) -> Bool { none() }
    public var summary: String { none() }
    public var warning: String? { none() }

    public var notAfter: Int? { none() }

    func addHandlers(
        to channel: any Channel, limit: TimeAmount, resources: LoopResources,
        handshakeEnded: @escaping (TLSHandshakeResult) -> Void
    ) throws {
        none()
    }
}

/// TLS of a client, which this build does not have.
public final class ClientTLS: Sendable {
    private let none: @Sendable () -> Never

    /// - Throws: that there is no TLS in this build.
    public init(_ configuration: Configuration = .init()) throws(TLSConfigurationError) {
        throw .unavailable
    }

    @discardableResult
    public func reload() throws(TLSConfigurationError) -> Bool { none() }
    public var warning: String? { none() }

    var isDue: Bool { none() }
    func refresh() { none() }
    func explained(_ failure: ConnectFailure) -> ConnectFailure { none() }
    func addHandlers(
        to channel: any Channel, host: String, handshakeEnded: @escaping (TLSHandshakeResult) -> Void
    ) throws(ConnectFailure) -> TLSHandler {
        none()
    }
}

/// The handshake, which this build does not have.
final class TLSHandler {
    private let none: () -> Never

    private init(none: @escaping () -> Never) { self.none = none }

    var isHandshaking: Bool { none() }
    var certificate: PeerCertificate? { none() }
    var version: Peer.TLSVersion? { none() }
}
#endif
