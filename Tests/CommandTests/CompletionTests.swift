import Foundation
import Testing

/// What a shell offers at TAB, in the three shells that the tools have completions for.
@Suite(.timeLimit(.minutes(10))) struct CompletionTests {
    enum Shell: String, CaseIterable {
        case bash, fish, zsh

        var isInstalled: Bool {
            ["/bin/", "/usr/bin/"].contains { FileManager.default.isExecutableFile(atPath: $0 + rawValue) }
        }
    }

    static let installed = Shell.allCases.filter(\.isInstalled)

    private static let scripts: [Shell: String] = [
        // As bash-completion calls it: the words, and which of them is being written.
        .bash: """
        . ./completions
        COMP_LINE="$line"; COMP_POINT=${#line}; COMP_TYPE=9; COMP_KEY=9
        COMP_WORDS=($line); [[ "$line" != *' ' ]] || COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _TOOL "$tool" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>&1
        printf '%s\\n' "${COMPREPLY[@]}"
        """,
        .fish: """
        source ./completions
        complete -C "$line" | string replace -r '\\t.*' ''
        """,
        // Completions need a terminal of zsh, which zpty makes. The list is printed by a stand-in for compadd, which gets it.
        .zsh: """
        zmodload zsh/zpty
        zpty z 'PS1= HISTFILE= zsh -f -i'
        zpty -w z 'fpath=("$PWD" $fpath); autoload -Uz compinit; compinit -u -D; zstyle ":completion:*" list-prompt ""'
        zpty -w z 'compadd() { local -a hits; builtin compadd -O hits "$@"; (( $#hits )) && print -rl -- "" "HIT:"${^hits} }'
        zpty -w z 'probe() { _main_complete; print -r -- "" EN""D }'
        zpty -w z 'zle -C probe complete-word probe; bindkey "^I" probe; echo REA""DY'
        zpty -r -m z out '*READY*'
        zpty -w -n z "$line"$'\\t'
        zpty -r -m z out '*END*'
        print -r -- "$out" | tr -d '\\r' | sed -n 's/^HIT://p'
        zpty -d z
        """,
    ]

    /// What the shell offers for the last word of a line, in a directory with the files `numbers.txt` and `notes`.
    private static func offers(_ line: String, _ shell: Shell) async throws -> Set<String> {
        let tool = String(line.prefix { $0 != " " })
        let directory = Tool.temporaryPath()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for name in ["numbers.txt", "notes"] {
            try Data().write(to: URL(filePath: "\(directory)/\(name)"))
        }
        let script = try await Tool.run(tool, ["--generate-completion-script", shell.rawValue])
        try Data(script.output.utf8).write(
            to: URL(filePath: "\(directory)/\(shell == .zsh ? "_\(tool)" : "completions")"))
        let setting =
            shell == .fish ? "set line '\(line)'; set tool \(tool)" : "line='\(line)'; tool=\(tool)"
        let run = try await Tool.run(
            "/usr/bin/env",
            [
                "-C", directory, "HOME=\(directory)", "PATH=\(Tool.directory.path):/usr/bin:/bin",
                shell.rawValue,
                "-c",
                "\(setting)\n"
                    + (scripts[shell] ?? "").replacing("_TOOL", with: "_\(tool)"),
            ])
        return Set(
            run.output.split(separator: "\n").map {
                $0.trimmingCharacters(in: .whitespaces).replacing("\\", with: "")
            })
    }

    @Test(
        "Options, values and files are offered where they may stand", arguments: installed,
        [
            ("sum-client --js", ["--json"]), ("sum-client 1 2 --js", ["--json"]),
            ("sum-client --lb ", ["pick_first", "round_robin"]), ("sum-client 1 --compress g", ["gzip"]),
            ("sum-client -f nu", ["numbers.txt"]), ("sum-server --overflow w", ["wrap"]),
            ("sum-server --tls-cert no", ["notes"]), ("sum-server --print-c", ["--print-config"]),
        ])
    func offered(_ shell: Shell, _ example: (line: String, words: [String])) async throws {
        let offers = try await Self.offers(example.line, shell)
        #expect(Set(example.words).isSubset(of: offers), "\(shell) \(example.line): \(offers)")
    }
}
