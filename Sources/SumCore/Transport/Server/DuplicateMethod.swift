/// The error for two methods with one path.
public struct DuplicateMethod: Error, Hashable, CustomStringConvertible {
    /// The path that both have.
    public var path: String

    /// What is wrong, for people.
    public var description: String { "two methods have the path '\(path)': give the server only one of them" }
}
