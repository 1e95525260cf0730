/// How a call ended: a code, and for people a message (grpc/doc/statuscodes.md).
///
/// A status other than `ok` is thrown by the calls that a peer, the network or a deadline ended.
public struct GRPCStatus: Error, Hashable, Sendable {
    public var code: Code
    /// Any Unicode text; empty when there is nothing to add to the code.
    public var message: String
    /// More for programs: a serialized `google.rpc.Status`, or empty (`grpc-status-details-bin`).
    public var details: [UInt8]

    public init(code: Code, message: String = "", details: [UInt8] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    public static let ok = GRPCStatus(code: .ok)

    public var isOK: Bool { code == .ok }

    /// One of gRPC's status codes, 0 to 16. A peer may send others, which are kept as they are.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public var rawValue: Int

        public init(rawValue: Int) {
            self.rawValue = rawValue
        }

        public static let ok = Self(rawValue: 0)
        public static let cancelled = Self(rawValue: 1)
        public static let unknown = Self(rawValue: 2)
        public static let invalidArgument = Self(rawValue: 3)
        public static let deadlineExceeded = Self(rawValue: 4)
        public static let notFound = Self(rawValue: 5)
        public static let alreadyExists = Self(rawValue: 6)
        public static let permissionDenied = Self(rawValue: 7)
        public static let resourceExhausted = Self(rawValue: 8)
        public static let failedPrecondition = Self(rawValue: 9)
        public static let aborted = Self(rawValue: 10)
        public static let outOfRange = Self(rawValue: 11)
        public static let unimplemented = Self(rawValue: 12)
        public static let internalError = Self(rawValue: 13)
        public static let unavailable = Self(rawValue: 14)
        public static let dataLoss = Self(rawValue: 15)
        public static let unauthenticated = Self(rawValue: 16)

        private static let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
            "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
            "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]
    }
}

extension GRPCStatus.Code: CustomStringConvertible {
    /// The name gRPC gives the code, such as `OUT_OF_RANGE`, or `code 42`.
    public var description: String {
        Self.names.indices.contains(rawValue) ? Self.names[rawValue] : "code \(rawValue)"
    }
}

extension GRPCStatus: CustomStringConvertible {
    /// The code's name and the message, on one line and safe to print whoever wrote it.
    public var description: String {
        message.isEmpty ? code.description : "\(code): \(message.escapedForDisplay)"
    }
}
