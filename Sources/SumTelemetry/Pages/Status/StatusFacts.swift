/// What does not change while a server runs, for a page that shows it.
public struct StatusFacts: Sendable {
    /// The name of the program.
    public var program: String
    public var version: String
    /// Where it is reached.
    public var addresses: [String]
    /// The options it was started with, with their values. No secrets.
    public var options: [(name: String, value: String)]

    public init(
        program: String, version: String, addresses: [String] = [],
        options: [(name: String, value: String)] = []
    ) {
        self.program = program
        self.version = version
        self.addresses = addresses
        self.options = options
    }
}
