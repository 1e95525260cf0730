/// What does not change while a server runs, for a page that shows it.
public struct StatusFacts: Sendable {
    /// The name of the program.
    public var program: String
    /// Its version.
    public var version: String
    /// Where it is reached.
    public var addresses: [String]
    /// The options it was started with, with their values. No secrets.
    public var options: [(name: String, value: String)]

    /// Creates the facts.
    public init(
        program: String, version: String, addresses: [String] = [],
        options: [(name: String, value: String)] = []
    ) {
        self.program = program
        self.version = version
        self.addresses = addresses
        self.options = options
    }

    /// The options of a command line: words that begin with two dashes, each with the words that follow it.
    public static func options(_ words: some Sequence<String>) -> [(name: String, value: String)] {
        var options: [(name: String, value: String)] = []
        for word in words {
            if word.hasPrefix("--") {
                let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                options.append((String(parts[0]), parts.count > 1 ? String(parts[1]) : ""))
            } else if let last = options.indices.last {
                options[last].value += (options[last].value.isEmpty ? "" : " ") + word
            } else {
                options.append((word, ""))
            }
        }
        return options
    }
}
