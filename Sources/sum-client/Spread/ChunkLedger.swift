import SumCore

/// The chunks of an input that several servers add: which wait, which are being added, and what is known of the sum.
///
/// A chunk is kept until one server has added it. Adding changes nothing in a server, so a chunk that was lost with its
/// server is simply sent to another, and a chunk that two servers have added counts once.
///
/// A value without I/O. Servers are numbers from 0.
struct ChunkLedger {
    struct Chunk {
        var id: Int
        var numbers: [Int32]
    }

    /// What a server has said about a chunk.
    enum Answer: Equatable {
        case sum(Int32)
        /// The sum does not fit int32, and is this.
        case exactSum(Int128)
        /// The sum does not fit int32, and the server does not say what it is.
        case outOfRange(GRPCStatus)
        /// The server was lost, or has refused to take the call.
        case unavailable(GRPCStatus)
    }

    private struct Entry {
        var numbers: [Int32]
        /// The servers that are adding it, with the time since they do.
        var holders: [Int: ContinuousClock.Instant] = [:]
        /// The servers that have lost it.
        var failures: [Int] = []
    }

    /// A chunk that was sent so long ago is sent to one more idle server, once the input has ended: those that have it
    /// may be stuck.
    static let patience = Duration.seconds(1)

    /// How many servers there are; 0 until that is known.
    var serverCount: Int
    private var entries: [Int: Entry] = [:]
    /// The chunks that nobody is adding, by id.
    private var queue: [Int] = []
    private var nextID = 0
    private var inputHasEnded = false

    /// The sum of the chunks that were added.
    private(set) var sum: Int128 = 0
    /// The numbers of those chunks.
    private(set) var count = 0

    init(serverCount: Int = 0) {
        self.serverCount = serverCount
    }

    /// Whether there is enough to do for all servers.
    var isFull: Bool { queue.count >= serverCount }
    /// Whether everything was added.
    var isDone: Bool { inputHasEnded && entries.isEmpty }

    mutating func add(_ numbers: [Int32]) {
        guard !numbers.isEmpty else { return }
        nextID += 1
        entries[nextID] = Entry(numbers: numbers)
        queue.append(nextID)
    }

    mutating func endInput() {
        inputHasEnded = true
    }

    /// Takes the next chunk for a server: one that waits, and which the server has not lost before, unless all servers
    /// have; or else one that another server has had for too long.
    ///
    /// - Parameter live: the servers that can be reached.
    mutating func take(
        for server: Int, live: Set<Int>, at now: ContinuousClock.Instant
    ) -> Chunk? {
        let position = queue.firstIndex { id in
            let failures = entries[id]?.failures ?? []
            return !failures.contains(server) || live.isSubset(of: failures)
        }
        guard let id = position.map({ queue.remove(at: $0) }) ?? stuckChunk(for: server, at: now) else {
            return nil
        }
        entries[id]?.holders[server] = now
        return entries[id].map { Chunk(id: id, numbers: $0.numbers) }
    }

    private func stuckChunk(for server: Int, at now: ContinuousClock.Instant) -> Int? {
        guard inputHasEnded else { return nil }
        return entries.filter { _, entry in
            !entry.holders.isEmpty && entry.holders[server] == nil
                && entry.holders.values.allSatisfy { $0 + Self.patience <= now }
        }.keys.min()
    }

    /// Notes a server's answer.
    ///
    /// - Returns: whether the server has added the chunk's numbers, and is the first to have done so.
    /// - Throws: the status that ends the run.
    mutating func settle(_ id: Int, by server: Int, _ answer: Answer) throws(GRPCStatus) -> Bool {
        guard var entry = entries[id] else { return false }
        entry.holders[server] = nil
        switch answer {
        case .sum(let part): add(Int128(part), entry, id)
        case .exactSum(let part): add(part, entry, id)
        case .outOfRange(let status):
            try halve(entry, id, status)
            return false
        case .unavailable(let status):
            entry.failures.append(server)
            guard entry.failures.count < 3 * serverCount else {
                throw GRPCStatus(
                    code: status.code, message: "\(status.message) (tried \(entry.failures.count) times)")
            }
            entries[id] = entry
            if entry.holders.isEmpty { queue.insert(id, at: 0) }
            return false
        }
        return true
    }

    private mutating func add(_ part: Int128, _ entry: Entry, _ id: Int) {
        sum += part
        count += entry.numbers.count
        remove(id)
    }

    /// Replaces a chunk by its halves. One number always fits, so this ends.
    private mutating func halve(_ entry: Entry, _ id: Int, _ status: GRPCStatus) throws(GRPCStatus) {
        let numbers = entry.numbers
        guard numbers.count > 1 else { throw status }
        remove(id)
        for half in [numbers[..<(numbers.count / 2)], numbers[(numbers.count / 2)...]] {
            add(Array(half))
            // In front, so that the chunks that are kept do not become more and more.
            queue.insert(queue.removeLast(), at: 0)
        }
    }

    private mutating func remove(_ id: Int) {
        entries[id] = nil
        queue.removeAll { $0 == id }
    }
}
