/// Why a connection could not be established.
struct ConnectFailure: Error, Equatable, CustomStringConvertible {
    var description: String
    /// Whether another attempt may succeed.
    var isTemporary = false
}
