internal import NIOCore

/// The subchannels of a policy, in the order of their addresses.
struct SubchannelList: RandomAccessCollection, Sendable {
    private var members: [Subchannel] = []
    private var nextID = 0

    var startIndex: Int { members.startIndex }
    var endIndex: Int { members.endIndex }

    subscript(position: Int) -> Subchannel {
        get { members[position] }
        set { members[position] = newValue }
    }

    func index(of id: Int) -> Int? { members.firstIndex { $0.id == id } }

    /// When the first of the failed subchannels may try again.
    var nextRetry: NIODeadline { members.compactMap(\.retryTime).min() ?? .distantFuture }

    /// Whether these are the addresses of the list, in any order.
    func hasSameAddresses(as addresses: [ServerAddress]) -> Bool {
        Set(members.map(\.address)) == Set(addresses)
    }

    /// Replaces the addresses. A subchannel whose address remains keeps its state.
    ///
    /// - Returns: the subchannels that are removed.
    mutating func replace(by addresses: [ServerAddress]) -> [Subchannel] {
        let old = members
        members = addresses.map { address in
            if let known = old.first(where: { $0.address == address }) { return known }
            nextID += 1
            return Subchannel(id: nextID, address: address)
        }
        return old.filter { member in !members.contains { $0.id == member.id } }
    }

    mutating func cutPauses(after interval: TimeAmount, at now: NIODeadline) {
        for index in indices { members[index].cutPause(after: interval, at: now) }
    }
}
