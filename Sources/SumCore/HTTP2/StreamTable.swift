/// 2^32 divided by the golden ratio spreads consecutive IDs evenly; quite random factors are often bad at this. The lower
/// half differs in each process.
private let placeFactor = 0x9e37_0000 | UInt32.random(in: 0...0xffff) | 1

/// A map from stream IDs to values with cheap lookups. `Dictionary` hashes unpredictably, at ten times the cost, and a
/// call needs about ten lookups. An array would be checked for its bounds and for other references in each of them.
///
/// Open addressing with linear probing. The place of an ID is its product with an odd factor (multiply-shift hashing). At
/// most half of the places are taken. A peer may choose IDs that collide, which gains it little: a lookup passes no more
/// places than there are streams at once.
///
/// Sound because `places` is this table's alone, its count is 0 or a power of 2, all of it is initialized, and each index
/// is either a product shifted to that many bits, or masked. Values are released when the table is whole again, since what
/// they release may come back to it.
@safe struct StreamTable<Value>: ~Copyable {
    @safe private struct Place {
        /// 0 marks an empty place: no stream has that ID.
        var streamID: Int32 = 0
        var value: Value?
    }

    private var places = unsafe UnsafeMutableBufferPointer<Place>(start: nil, count: 0)
    private(set) var count = 0
    /// The number of low bits of a product to drop.
    private var shift: UInt32 = 32
    private let factor = placeFactor

    private static var smallestSize: Int { 8 }

    deinit {
        unsafe places.deinitialize().deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// The IDs that have values, unordered.
    var streamIDs: [Int32] { unsafe places.compactMap { $0.value == nil ? nil : $0.streamID } }
    /// The values, unordered.
    var values: [Value] { unsafe places.compactMap(\.value) }

    /// - Parameter streamID: not 0.
    subscript(_ streamID: Int32) -> Value? {
        get {
            guard count > 0, let index = index(of: streamID) else { return nil }
            return unsafe places[index].value
        }
        set {
            if let newValue { insert(newValue, streamID) } else { remove(streamID) }
        }
    }

    private mutating func insert(_ value: Value, _ streamID: Int32) {
        if unsafe 2 * (count + 1) > places.count { grow() }
        var index = home(of: streamID)
        while unsafe places[index].streamID != 0 {
            if unsafe places[index].streamID == streamID {
                var value: Value? = value
                return unsafe swap(&places[index].value, &value)
            }
            index = following(index)
        }
        unsafe places[index] = Place(streamID: streamID, value: value)
        count += 1
    }

    @discardableResult
    mutating func remove(_ streamID: Int32) -> Value? {
        guard count > 0, var hole = index(of: streamID) else { return nil }
        let value = unsafe places[hole].value.take()
        count -= 1
        // Entries behind the hole move up, so that probing still finds them.
        var next = following(hole)
        while unsafe places[next].streamID != 0 {
            let distance = unsafe (next - home(of: places[next].streamID)) & (places.count - 1)
            if unsafe distance >= (next - hole) & (places.count - 1) {
                unsafe places.swapAt(hole, next)
                hole = next
            }
            next = following(next)
        }
        unsafe places[hole].streamID = 0
        return value
    }

    /// Removes all values and frees the memory.
    mutating func removeAll() {
        var removed = StreamTable()
        swap(&removed, &self)
    }

    private func index(of streamID: Int32) -> Int? {
        var index = home(of: streamID)
        while unsafe places[index].streamID != streamID {
            guard unsafe places[index].streamID != 0 else { return nil }
            index = following(index)
        }
        return index
    }

    private func home(of streamID: Int32) -> Int {
        Int((UInt32(bitPattern: streamID) &* factor) &>> shift)
    }

    private func following(_ index: Int) -> Int {
        unsafe (index + 1) & (places.count - 1)
    }

    private mutating func grow() {
        let old = unsafe places
        let size = max(Self.smallestSize, 2 * old.count)
        unsafe places = .allocate(capacity: size)
        unsafe places.initialize(repeating: Place())
        shift = 32 - UInt32(size.trailingZeroBitCount)
        count = 0
        for index in old.indices {
            let place = unsafe old[index]
            if let value = place.value { insert(value, place.streamID) }
        }
        unsafe old.deinitialize().deallocate()
    }
}
