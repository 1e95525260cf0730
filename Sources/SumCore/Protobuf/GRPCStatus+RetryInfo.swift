internal import SwiftProtobuf

extension GRPCStatus {
    /// How long the server asks to wait before the call is made again: `google.rpc.RetryInfo` among the details. Nil if
    /// there is none, if it is not positive, or if the details are those of another code.
    public var retryDelay: Duration? {
        guard !details.isEmpty, let info = details(of: Google_Rpc_RetryInfo.self).first, info.hasRetryDelay
        else { return nil }
        let delay = Duration.seconds(info.retryDelay.seconds) + .nanoseconds(info.retryDelay.nanos)
        return delay > .zero ? min(delay, .longest) : nil
    }
}
