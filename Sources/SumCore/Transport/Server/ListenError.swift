/// An address that could not be listened on, and why.
public struct ListenError: Error, CustomStringConvertible {
    public var address: ListenAddress
    public var reason: String

    public var description: String { "cannot listen on \(address): \(reason)" }
}
