internal import SumCore

/// Who measures: the name and version of this library, as every export gives them.
public struct InstrumentationScope: Hashable, Sendable {
    /// The name of the library.
    public var name: String
    /// Its version.
    public var version: String

    /// Creates a scope.
    public init(name: String, version: String) {
        self.name = name
        self.version = version
    }

    /// This library.
    public static let current = InstrumentationScope(name: "grpc-swift-sum", version: Version.current)
}
