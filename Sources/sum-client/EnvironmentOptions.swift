import CProgram

/// The options that the environment gives, put in front of those of the command line. sum-server has a link to this file.
struct EnvironmentOptions {
    struct InvalidValue: Error, CustomStringConvertible {
        let description: String
    }

    /// The command line as if everything had been written there.
    private(set) var words: [String]
    /// The variables that were used, by option.
    private(set) var used: [String: (variable: String, value: String)] = [:]
    /// Variables of this project that no tool knows.
    private(set) var unknown: [String] = []

    /// - Parameters:
    ///   - words: the command line.
    ///   - table: the options of this tool, which takes a while to make, and is needed only if there are variables.
    ///   - others: the variables of the other tool, and those that are not options.
    ///   - variables: those of the environment that begin with `SUM_`. A variable that is empty counts as not set.
    init(
        _ words: [String], _ table: @autoclosure () -> [OptionVariable], others: (String) -> Bool,
        variables: [(name: String, value: String)]
    ) throws(InvalidValue) {
        self.words = words
        guard !variables.isEmpty else { return }
        let table = table()
        let given = Self.given(by: words, table)
        // What only asks must be answered whatever the environment has.
        guard !words.contains(where: Self.questions.contains) else { return }
        let replaced = Set(
            table.filter { given[$0.option] != nil }.flatMap { [$0.option] + $0.replaces })
        let byName = Dictionary(uniqueKeysWithValues: table.map { ($0.variable, $0) })
        var prefix: [String] = []
        for (name, value) in variables.sorted(by: { $0.name < $1.name }) {
            guard let row = byName[name] else {
                if !others(name) { unknown.append(name) }
                continue
            }
            guard !value.isEmpty, !replaced.contains(row.option) else { continue }
            prefix += try Self.words(for: row, value)
            used[row.option] = (name, value)
        }
        self.words = prefix + words
    }

    private static let questions: Set<String> = [
        "-h", "--help", "--version", "--generate-completion-script", "--experimental-dump-help",
    ]

    /// The options that a command line gives, by name without dashes, with their values. What is wrong with it, ArgumentParser
    /// will say.
    static func given(by words: [String], _ table: [OptionVariable]) -> [String: [String]] {
        var given: [String: [String]] = [:]
        let byOption = Dictionary(uniqueKeysWithValues: table.map { ($0.option, $0) })
        var words = words[...]
        while let word = words.popFirst() {
            guard word.hasPrefix("--") else { continue }
            let parts = word.dropFirst(2).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            if let row = byOption[name] {
                let value: String?
                switch row.kind {
                case .value, .list: value = parts.count > 1 ? String(parts[1]) : words.popFirst()
                case .flag, .switchedOn: value = "true"
                }
                given[name, default: []].append(value ?? "")
            } else if name.hasPrefix("no-"), byOption[String(name.dropFirst(3))]?.kind == .switchedOn {
                given[String(name.dropFirst(3)), default: []].append("false")
            }
        }
        return given
    }

    private static func words(for row: OptionVariable, _ value: String) throws(InvalidValue) -> [String] {
        let name = "--\(row.option)"
        switch row.kind {
        case .value: return [name, value]
        case .list: return value.split(whereSeparator: \.isWhitespace).flatMap { [name, String($0)] }
        case .flag, .switchedOn:
            guard let isOn = Self.truth(of: value) else {
                throw InvalidValue(
                    description:
                        "the value '\(value)' of \(row.variable) is invalid: it must be true or false")
            }
            switch row.kind {
            case .switchedOn: return [isOn ? name : "--no-\(row.option)"]
            default: return isOn ? [name] : []
            }
        }
    }

    private static func truth(of text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }

    /// Adds to an error which of the options in it are the environment's.
    func explaining(_ reason: String) -> String {
        let names = used.keys.sorted().filter { option in
            reason.split { !$0.isLetter && !$0.isNumber && $0 != "-" }.contains { word in
                word == "--\(option)" || word == "--no-\(option)"
            }
        }
        guard !names.isEmpty else { return reason }
        let sources = names.map { "--\($0) is from \(used[$0]?.variable ?? "")" }
        return "\(reason) (\(sources.joined(separator: ", ")))"
    }

    /// The variables of the process that begin with `SUM_`.
    static func variables() -> [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        // Sound because nothing changes the environment of these programs while they read their options, and the list ends
        // with a null pointer.
        guard var next = unsafe sum_environment() else { return [] }
        while let entry = unsafe next.pointee {
            unsafe next += 1
            guard unsafe entry[0] == 0x53, unsafe entry[1] == 0x55, unsafe entry[2] == 0x4d,
                unsafe entry[3] == 0x5f
            else { continue }
            let parts = unsafe String(cString: entry).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            found.append((String(parts[0]), String(parts[1])))
        }
        return found
    }
}
