/// The oldest version of TLS to speak. Older ones than 1.2 cannot be had: HTTP/2 forbids them (RFC 9113 section 9.2).
public enum TLSMinimum: String, CaseIterable, Sendable {
    /// TLS 1.2.
    case v1_2 = "1.2"
    /// TLS 1.3.
    case v1_3 = "1.3"
}
