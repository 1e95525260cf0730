/// ArgumentParser's completions for the shells, repaired. sum-server has a link to this file.
enum CompletionScript {
    /// What ArgumentParser 1.8.2 writes for a subcommand `help`, which it gives to every command although it reads no such word.
    /// zsh refuses the whole script for it, if there are operands: "doubled rest argument definition".
    private static let subcommands = [
        "'(-): :->command'", "'(-)*:: :->arg'", "compgen -W 'help'", "-d 'Show subcommand help information.'",
    ]

    static func isRequested(by words: [String]) -> Bool {
        words.contains { $0.hasPrefix("--generate-completion-script") }
    }

    static func withoutSubcommands(_ script: String) -> String {
        script.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { line in !subcommands.contains(where: line.contains) }
            .joined(separator: "\n")
    }
}
