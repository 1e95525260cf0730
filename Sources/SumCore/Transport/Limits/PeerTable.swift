internal import NIOCore

/// Limits the connections of each peer: how many are open, and how often it opens one. It is asked with the time, and
/// performs no I/O.
///
/// It stays small whoever connects. Peers with open connections are as many as those at most. Of the other peers, it
/// remembers at least the last `memory`, each for as long as its bucket takes to fill: a peer that comes from more
/// addresses than that gets a full bucket again, and would not have been limited by its address anyway.
struct PeerTable {
    /// How many peers without connections are remembered at least; at most twice as many are.
    static let memory = 8192

    enum Refusal: Equatable {
        case tooManyConnections
        case tooManyNewConnections
    }

    private struct Entry {
        var bucket: TokenBucket
        /// Whether the last connection was refused.
        var isRefusing = false
    }

    private let maxOpen: Int?
    private let maxNew: Int?
    private var open: [IPAddress: Int] = [:]
    /// Peers that connected lately, and those before them. When the first are too many, the second are forgotten.
    private var recent: [IPAddress: Entry] = [:]
    private var older: [IPAddress: Entry] = [:]

    /// - Parameters:
    ///   - maxOpen: open connections of a peer; nil: unlimited.
    ///   - maxNew: new connections (burst; refills by a tenth per second); nil: unlimited.
    init(maxOpen: Int?, maxNew: Int?) {
        self.maxOpen = maxOpen
        self.maxNew = maxNew
    }

    /// Counts a new connection. If it is not refused, it must be ended with `close`.
    ///
    /// - Parameter peer: an address, or the network of an IPv6 address.
    /// - Returns: why it is refused, and whether the one before was not; nil if it may stay.
    mutating func admit(_ peer: IPAddress, at now: NIODeadline) -> (refusal: Refusal, isNews: Bool)? {
        var entry = takeEntry(of: peer, at: now)
        let refusal: Refusal?
        if let maxOpen, open[peer, default: 0] >= maxOpen {
            refusal = .tooManyConnections
        } else if !entry.bucket.take(1, at: now) {
            // Refused connections cost nothing, or a peer that keeps trying would never get in.
            entry.bucket.give(1)
            refusal = .tooManyNewConnections
        } else {
            refusal = nil
        }
        let isNews = !entry.isRefusing
        entry.isRefusing = refusal != nil
        remember(entry, of: peer)
        guard let refusal else {
            open[peer, default: 0] += 1
            return nil
        }
        return (refusal, isNews)
    }

    /// A connection of the peer has closed.
    mutating func close(_ peer: IPAddress) {
        guard let count = open[peer] else { return }
        open[peer] = count > 1 ? count - 1 : nil
    }

    /// Peers that take memory.
    var count: Int { open.count + recent.count + older.count }

    private mutating func takeEntry(of peer: IPAddress, at now: NIODeadline) -> Entry {
        let known = recent.removeValue(forKey: peer) ?? older.removeValue(forKey: peer)
        let burst = maxNew ?? .max
        return known ?? Entry(bucket: TokenBucket(burst: burst, perSecond: burst / 10, now: now))
    }

    private mutating func remember(_ entry: Entry, of peer: IPAddress) {
        if recent.count >= Self.memory {
            older = recent
            recent = [:]
        }
        recent[peer] = entry
    }
}
