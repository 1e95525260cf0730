internal import NIOCore
internal import NIOPosix
internal import SystemPackage

/// Texts for errors of NIO and the system, without the names of their types.
enum FailureText {
    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as IOError: "\(Errno(rawValue: error.errnoCode))"
        case ChannelError.connectTimeout: "no response"
        case is ChannelError: "the connection was closed"
        case let error as SocketAddressError.UnknownHost: unresolved(error.host)
        case let error as NIOConnectionError where error.connectionErrors.isEmpty: unresolved(error.host)
        case SocketAddressError.unsupported: "addresses of this kind are not supported"
        case let error as any CustomStringConvertible: error.description
        default: "an unexpected failure (\(error))"
        }
    }

    static func unresolved(_ host: String) -> String {
        "the name '\(host)' cannot be resolved"
    }
}
