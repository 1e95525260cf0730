/// What can be read again while a server runs, such as a certificate that has been renewed.
public protocol Reloadable: Sendable {
    /// Reads everything again. If anything is wrong, nothing changes. May block.
    ///
    /// - Returns: whether anything has changed.
    func reload() throws -> Bool
    /// What is in use, for the log, such as `the certificate (localhost), valid until 2026-01-31T00:00:00Z`.
    var summary: String { get }
    /// What the operator should know every day, such as that a certificate expires soon; usually nil.
    var warning: String? { get }
    /// When the certificate that is in use expires, in seconds since 1970; nil if it has nothing to do with one.
    var notAfter: Int? { get }
}

extension Reloadable {
    public var notAfter: Int? { nil }
}

extension ServerTLS: Reloadable {}
