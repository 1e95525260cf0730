/// 2^32 divided by the golden ratio spreads consecutive IDs evenly; quite random factors are often bad at this. The lower
/// half differs in each process.
private let placeFactor = 0x9e37_0000 | UInt32.random(in: 0...0xffff) | 1

/// A map from stream IDs to values with cheap lookups. `Dictionary` hashes unpredictably, at ten times the cost, and a
/// call needs about ten lookups.
///
/// Open addressing with linear probing. The place of an ID is its product with an odd factor (multiply-shift hashing). At
/// most half of the places are taken. A peer may choose IDs that collide, which gains it little: a lookup passes no more
/// places than there are streams at once.
struct StreamTable<Value> {
    /// 0 marks an empty place: no stream has that ID.
    private var keys: [Int32] = []
    private var places: [Value?] = []
    private(set) var count = 0
    /// The number of low bits of a product to drop.
    private var shift: UInt32 = 32

    private static var smallestSize: Int { 8 }

    var isEmpty: Bool { count == 0 }

    /// The IDs that have values, unordered.
    var streamIDs: [Int32] { keys.filter { $0 != 0 } }
    /// The values, unordered.
    var values: [Value] { places.compactMap(\.self) }

    /// - Parameter streamID: not 0.
    subscript(_ streamID: Int32) -> Value? {
        get {
            guard count > 0, let index = index(of: streamID) else { return nil }
            return places[index]
        }
        set {
            if let newValue { insert(newValue, streamID) } else { remove(streamID) }
        }
    }

    private mutating func insert(_ value: Value, _ streamID: Int32) {
        if count > 0, let index = index(of: streamID) { return places[index] = value }
        if 2 * (count + 1) > keys.count { grow() }
        var index = home(of: streamID)
        while keys[index] != 0 { index = (index + 1) & (keys.count - 1) }
        keys[index] = streamID
        places[index] = value
        count += 1
    }

    @discardableResult
    mutating func remove(_ streamID: Int32) -> Value? {
        guard count > 0, var hole = index(of: streamID) else { return nil }
        let value = places[hole]
        count -= 1
        // Entries behind the hole move up, so that probing still finds them.
        var next = (hole + 1) & (keys.count - 1)
        while keys[next] != 0 {
            let distance = (next - home(of: keys[next])) & (keys.count - 1)
            if distance >= (next - hole) & (keys.count - 1) {
                keys[hole] = keys[next]
                places[hole] = places[next]
                hole = next
            }
            next = (next + 1) & (keys.count - 1)
        }
        keys[hole] = 0
        places[hole] = nil
        return value
    }

    /// Removes all values and frees the memory.
    mutating func removeAll() {
        keys = []
        places = []
        count = 0
        shift = 32
    }

    private func index(of streamID: Int32) -> Int? {
        var index = home(of: streamID)
        while keys[index] != streamID {
            guard keys[index] != 0 else { return nil }
            index = (index + 1) & (keys.count - 1)
        }
        return index
    }

    private func home(of streamID: Int32) -> Int {
        Int((UInt32(bitPattern: streamID) &* placeFactor) &>> shift)
    }

    private mutating func grow() {
        let (oldKeys, oldPlaces) = (keys, places)
        let size = max(Self.smallestSize, 2 * keys.count)
        keys = Array(repeating: 0, count: size)
        places = Array(repeating: nil, count: size)
        shift = 32 - UInt32(size.trailingZeroBitCount)
        count = 0
        for (index, key) in oldKeys.enumerated() where key != 0 {
            if let value = oldPlaces[index] { insert(value, key) }
        }
    }
}
