/// How a call ended: a code, and a message for people (grpc/doc/statuscodes.md).
///
/// Thrown as an error when a call ends with any code but `ok`, whether the peer, the network or a deadline ended it. A
/// handler on the server throws one to end its call with it.
public struct GRPCStatus: Error, Hashable, Sendable {
    /// What kind of error it is, or `ok`.
    public var code: Code
    /// Any Unicode text; empty if there is nothing to add to the code. From a peer it is unescaped; `description` is
    /// safe to print.
    public var message: String
    /// Details for programs: a serialized `google.rpc.Status`, or empty (`grpc-status-details-bin`).
    public var details: [UInt8]

    /// Creates a status.
    ///
    /// - Parameters:
    ///   - code: the kind of error.
    ///   - message: a text for people. A message that is too long for the client is shortened when it is sent.
    ///   - details: a serialized `google.rpc.Status` for programs.
    public init(code: Code, message: String = "", details: [UInt8] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// The status of a call that has succeeded.
    public static let ok = GRPCStatus(code: .ok)

    /// Whether the code is `ok`.
    public var isOK: Bool { code == .ok }
    /// Whether it is `ok`, without anything to add.
    var isPlainOK: Bool { code == .ok && message.isEmpty && details.isEmpty }

    /// One of gRPC's status codes, 0 to 16 (grpc/doc/statuscodes.md). A peer may send other numbers, which are kept.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The number of the code on the wire.
        public var rawValue: Int

        /// Creates the code with a number.
        public init(rawValue: Int) {
            self.rawValue = rawValue
        }

        /// Not an error; returned on success.
        public static let ok = Self(rawValue: 0)
        /// The call was cancelled, typically by the caller.
        public static let cancelled = Self(rawValue: 1)
        /// Unknown error, such as an error of a handler that is not a status.
        public static let unknown = Self(rawValue: 2)
        /// The client specified an invalid argument.
        public static let invalidArgument = Self(rawValue: 3)
        /// The deadline passed before the call completed.
        public static let deadlineExceeded = Self(rawValue: 4)
        /// A requested entity was not found.
        public static let notFound = Self(rawValue: 5)
        /// The entity that the client attempted to create already exists.
        public static let alreadyExists = Self(rawValue: 6)
        /// The caller does not have permission for the operation.
        public static let permissionDenied = Self(rawValue: 7)
        /// A resource has been exhausted, such as a quota or the limit on the size of messages.
        public static let resourceExhausted = Self(rawValue: 8)
        /// The system is not in the state that the operation requires. Do not retry until it has been fixed.
        public static let failedPrecondition = Self(rawValue: 9)
        /// The operation was aborted, typically because of a concurrency conflict. Retry at a higher level.
        public static let aborted = Self(rawValue: 10)
        /// The operation was attempted past the valid range, such as a sum that does not fit int32.
        public static let outOfRange = Self(rawValue: 11)
        /// The operation is not implemented, or not supported, by the service.
        public static let unimplemented = Self(rawValue: 12)
        /// Internal error: an invariant was broken, such as a rule of gRPC or HTTP/2. gRPC's INTERNAL.
        public static let internalError = Self(rawValue: 13)
        /// The service is currently unavailable. Most likely a transient condition, which a retry may correct.
        public static let unavailable = Self(rawValue: 14)
        /// Unrecoverable data loss or corruption.
        public static let dataLoss = Self(rawValue: 15)
        /// The request does not have valid authentication credentials.
        public static let unauthenticated = Self(rawValue: 16)

        private static let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
            "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
            "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]
    }
}

extension GRPCStatus.Code: CustomStringConvertible {
    /// gRPC's name of the code, such as `OUT_OF_RANGE`; `code 42` for a number without a name.
    public var description: String {
        Self.names.indices.contains(rawValue) ? Self.names[rawValue] : "code \(rawValue)"
    }
}

extension GRPCStatus: CustomStringConvertible {
    /// The code's name and the message, escaped, so that it is on one line and safe to print.
    public var description: String {
        message.isEmpty ? code.description : "\(code): \(message.escapedForDisplay)"
    }
}
