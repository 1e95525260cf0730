/// The error for an address on which the server could not listen.
public struct ListenError: Error, CustomStringConvertible {
    /// The address.
    public var address: ListenAddress
    /// Why, for people, such as `Address already in use`.
    public var reason: String

    /// Address and reason, for people.
    public var description: String { "cannot listen on \(address): \(reason)" }
}
