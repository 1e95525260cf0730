extension GRPCStatus {
    /// How a call ends whose handler has thrown an error (grpc/doc/statuscodes.md): with a status that it has thrown, with
    /// CANCELLED for a `CancellationError`, and with UNKNOWN and the error's text for any other.
    init(thrown error: any Error) {
        switch error {
        case let status as GRPCStatus: self = status
        case is CancellationError: self.init(code: .cancelled)
        default: self.init(code: .unknown, message: "\(error)")
        }
    }
}
