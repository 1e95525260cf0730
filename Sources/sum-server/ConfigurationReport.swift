/// What `--print-config` prints: each option, its value, and where that comes from.
enum ConfigurationReport {
    /// - Parameter words: the command line.
    static func lines(
        _ words: [String], _ environment: EnvironmentOptions,
        _ table: [OptionVariable] = OptionVariable.ofServer
    ) -> [String] {
        let given = EnvironmentOptions.given(by: words, table)
        let said = table.filter { given[$0.option] != nil || environment.used[$0.option] != nil }
        let replaced = Set(said.flatMap(\.replaces))
        let rows = table.filter { row in !replaced.contains(row.option) }.map { row in
            if let values = given[row.option] {
                return (row.option, values.joined(separator: " "), "command line")
            }
            if let (variable, value) = environment.used[row.option] { return (row.option, value, variable) }
            return (row.option, row.standard.isEmpty ? "none" : row.standard, "default")
        }
        let width = rows.map { $0.0.count }.max() ?? 0
        return rows.map { option, value, source in
            "--\(option)\(String(repeating: " ", count: width - option.count))  \(value)  (\(source))"
        }
    }
}
