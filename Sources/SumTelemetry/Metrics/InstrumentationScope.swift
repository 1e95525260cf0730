internal import SumCore

/// Who measures: the name and version of this library, as every export gives them.
public struct InstrumentationScope: Hashable, Sendable {
    public var name: String
    public var version: String

    public init(name: String, version: String) {
        self.name = name
        self.version = version
    }

    /// This library.
    public static let current = InstrumentationScope(name: "grpc-swift-sum", version: Version.current)
}
