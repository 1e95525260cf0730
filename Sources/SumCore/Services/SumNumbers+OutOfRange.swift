extension SumNumbers {
    /// A sum that does not fit int32. The server states it exactly in the details of OUT_OF_RANGE, so that a client that
    /// has split its numbers into several calls can add the parts.
    public struct OutOfRange: Hashable, Sendable {
        /// The exact sum of all numbers of the call.
        public var sum: Int128
        /// How many numbers the call had.
        public var count: Int64

        init(sum: Int128, count: Int64) {
            self.sum = sum
            self.count = count
        }
    }
}

extension SumNumbers.OutOfRange {
    static let reason = "SUM_OUT_OF_RANGE"

    /// Reads what a server has stated.
    ///
    /// Returns nil for any other status, and for the status of a server that does not state the sum, or contradicts
    /// itself: a sum that fits int32, or that so many numbers cannot have.
    public init?(_ status: GRPCStatus) {
        guard status.code == .outOfRange, let info = status.errorInfo, info.reason == Self.reason,
            info.domain == SumNumbers.service,
            let sum = info.metadata["sum"].flatMap({ Int128($0) }),
            let count = info.metadata["numbers"].flatMap({ Int64($0) }),
            Int32(exactly: sum) == nil, count > 0
        else { return nil }
        let possible = Int128(count) * Int128(Int32.min)...Int128(count) * Int128(Int32.max)
        guard possible.contains(sum) else { return nil }
        self.init(sum: sum, count: count)
    }

    var status: GRPCStatus {
        GRPCStatus(
            code: .outOfRange, message: "the sum \(sum) of \(count) numbers does not fit int32",
            errorInfo: GRPCErrorInfo(
                reason: Self.reason, domain: SumNumbers.service,
                metadata: ["sum": "\(sum)", "numbers": "\(count)"]))
    }
}
