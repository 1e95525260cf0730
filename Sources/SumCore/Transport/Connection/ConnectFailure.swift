/// Why a connection could not be established.
struct ConnectFailure: Error, CustomStringConvertible {
    var description: String
    /// Whether another attempt may succeed.
    var isTemporary = false
}
