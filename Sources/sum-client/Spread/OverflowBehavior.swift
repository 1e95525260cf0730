import SumCore

/// What a server does with a sum that does not fit int32. The parts of a sum may not fit even if the whole does.
enum OverflowBehavior: Equatable {
    /// It ends the call with this status code, and perhaps tells the exact sum.
    case refuses(GRPCStatus.Code)
    /// It answers with the low 32 bits.
    case wraps

    /// Two numbers whose sum does not fit.
    static let probe: [Int32] = [.max, 1]

    /// The codes of servers that check the sum, or whose libraries do.
    private static let refusals: Set<GRPCStatus.Code> = [
        .outOfRange, .invalidArgument, .internalError, .unknown,
    ]

    /// The behaviour that an answer to the probe shows.
    ///
    /// - Throws: the status of the answer if it has another reason; DATA_LOSS if it is no sum of the two numbers at all.
    init(answer: Result<Int32, GRPCStatus>) throws(GRPCStatus) {
        switch answer {
        case .success(.min): self = .wraps
        case .success(let sum):
            throw GRPCStatus(
                code: .dataLoss, message: "the server says that the sum of \(Int32.max) and 1 is \(sum)")
        case .failure(let status) where Self.refusals.contains(status.code): self = .refuses(status.code)
        case .failure(let status): throw status
        }
    }
}
