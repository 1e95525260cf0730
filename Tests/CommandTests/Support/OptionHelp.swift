import Foundation

/// What ArgumentParser knows of a tool's options (`--experimental-dump-help`).
struct OptionHelp: Decodable {
    struct Command: Decodable { var arguments: [Argument] }
    struct Name: Decodable {
        var kind: String
        var name: String
    }
    struct Argument: Decodable {
        var kind: String
        var names: [Name]?
        var abstract: String?
        var defaultValue: String?
        var isRepeating: Bool
        var shouldDisplay: Bool
    }
    private var command: Command

    /// - Parameter help: as JSON.
    static func arguments(_ help: String) throws -> [Argument] {
        try JSONDecoder().decode(OptionHelp.self, from: Data(help.utf8)).command.arguments
    }
}
