/// Notices when a count has fallen to half of what it was.
struct Ebb {
    /// Less than this is not worth noticing.
    static let least = 100

    private var peak = 0

    mutating func rise(to count: Int) {
        peak = max(peak, count)
    }

    /// - Returns: whether it has fallen so far. From there it counts anew.
    mutating func fall(to count: Int) -> Bool {
        guard peak >= Self.least, count <= peak / 2 else { return false }
        peak = count
        return true
    }
}
