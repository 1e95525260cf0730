import ConformanceMessages
import SumCore
import SwiftProtobuf

extension ConformancePayload.RequestInfo {
    /// Echoes a call's metadata, timeout and messages.
    init(_ call: AsyncServerCall, _ requests: [some Message]) throws {
        try self.init(requests)
        requestHeaders = call.context.metadata.headers
        if let timeout = call.context.timeout { timeoutMs = Int64(timeout / .milliseconds(1)) }
    }

    /// Echoes messages only.
    init(_ requests: [some Message]) throws {
        self.init()
        self.requests = try requests.map { try Google_Protobuf_Any(message: $0) }
    }
}

extension GRPCStatus {
    /// An error that echoes the request in its details, since no message has done so.
    init(_ error: Google_Rpc_Status, echoing info: ConformancePayload.RequestInfo) throws {
        var error = error
        error.details.append(try Google_Protobuf_Any(message: info))
        self.init(error)
    }
}
