internal import NIOCore

extension ServerAddress {
    /// The security of a clear connection to this address.
    var security: ConnectionSecurity {
        guard tunnel == nil else { return .clear }
        if case .unixDomainSocket = socketAddress { return .unix }
        let address = socketAddress.ipAddress.flatMap { IPAddress($0) }
        return address?.isLoopback == true ? .loopback : .clear
    }
}
