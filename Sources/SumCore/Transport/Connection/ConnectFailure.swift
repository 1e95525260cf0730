/// Why a connection did not come to be.
struct ConnectFailure: Error, CustomStringConvertible {
    var description: String
    /// Whether a further attempt may succeed.
    var isTemporary = false
}
