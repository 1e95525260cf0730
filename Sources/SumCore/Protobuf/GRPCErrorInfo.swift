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
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        let details: [UInt8]? = try? Google_Rpc_Status.with {
            $0.code = Int32(clamping: code.rawValue)
            $0.message = message
            // The form of a type's URL that every implementation of gRPC uses.
            $0.details = [
                try .with {
                    $0.typeURL = "type.googleapis.com/\(Google_Rpc_ErrorInfo.protoMessageName)"
                    $0.value = try info.serializedBytes(options: options)
                }
            ]
        }.serializedBytes()
        // Only a status of 2 GiB cannot be encoded, and nobody would accept one.
        self.init(code: code, message: message, details: details ?? [])
    }

    /// The first `google.rpc.ErrorInfo` among the details; nil if there is none, or if the details are those of another
    /// code. From a peer its texts are unescaped; `detailsDescription` is safe to print.
    public var errorInfo: GRPCErrorInfo? {
        guard !details.isEmpty, let status = try? Google_Rpc_Status(serializedBytes: details),
            Int(status.code) == code.rawValue
        else { return nil }
        for detail in status.details where detail.isA(Google_Rpc_ErrorInfo.self) {
            guard let info = try? Google_Rpc_ErrorInfo(serializedBytes: detail.value) else { return nil }
            return GRPCErrorInfo(reason: info.reason, domain: info.domain, metadata: info.metadata)
        }
        return nil
    }
}
