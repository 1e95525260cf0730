internal import SwiftProtobuf

/// The cause of an error, for programs: `google.rpc.ErrorInfo` among the details of a status
/// (https://google.aip.dev/193).
public struct GRPCErrorInfo: Hashable, Sendable {
    /// What happened, in capitals, such as `SUM_OUT_OF_RANGE`.
    public var reason: String
    /// Who defines the reason, such as `tutorial.NumberService`.
    public var domain: String
    /// Further facts, by name.
    public var metadata: [String: String]

    /// Creates the cause of an error.
    public init(reason: String, domain: String, metadata: [String: String] = [:]) {
        self.reason = reason
        self.domain = domain
        self.metadata = metadata
    }
}

extension GRPCStatus {
    /// Creates a status whose details state the cause of the error.
    public init(code: Code, message: String = "", errorInfo: GRPCErrorInfo) {
        let info = Google_Rpc_ErrorInfo.with {
            $0.reason = errorInfo.reason
            $0.domain = errorInfo.domain
            $0.metadata = errorInfo.metadata
        }
        self.init(code: code, message: message, details: [info])
    }

    /// The first `google.rpc.ErrorInfo` among the details; nil if there is none, or if the details are those of another
    /// code. From a peer its texts are unescaped; `detailsDescription` is safe to print.
    public var errorInfo: GRPCErrorInfo? {
        details(of: Google_Rpc_ErrorInfo.self).first.map {
            GRPCErrorInfo(reason: $0.reason, domain: $0.domain, metadata: $0.metadata)
        }
    }
}
