/// What a resolver has found.
struct Resolution: Sendable {
    /// In the order in which they are to be tried.
    var addresses: [ServerAddress] = []
    /// Why some addresses, or all, were not found.
    var failure: ConnectFailure?

    mutating func add(_ other: Resolution) {
        addresses += other.addresses
        guard let next = other.failure else { return }
        guard let known = failure else { return failure = next }
        failure = ConnectFailure(
            description: "\(known); \(next)", isTemporary: known.isTemporary || next.isTemporary)
    }
}

extension ConnectFailure {
    /// A name exists, but no server has it.
    static let noAddresses = ConnectFailure(description: "it has no addresses")
}
