/// Hosts of 127.0.0.0/8 that nobody else uses, for servers that are started again at the port they had, or that share a port.
///
/// At 127.0.0.1 somebody else may have that port by then: another test's server, or the source of a connection.
public struct LoopbackNetwork: Sendable {
    private let prefix = "127.\(UInt8.random(in: 64...127)).\(UInt8.random(in: .min ... .max))"

    public init() {}

    /// - Parameter number: from 1 to 254.
    public func host(_ number: Int) -> String {
        "\(prefix).\(number)"
    }
}
