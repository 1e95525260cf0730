import SumCore

extension ClientSettings {
    /// Reads a command line of common options, for which starting ArgumentParser takes longer than a short call.
    ///
    /// Only exact spellings are read: `--target TARGET`, `--timeout DURATION`, `--connect-timeout DURATION`, `-f FILE`,
    /// `--json` and `-v`, and each but `--target` and `-f` once. A test holds the outcome equal to ArgumentParser's.
    ///
    /// - Parameter words: the command line without numbers (`Arguments.options`).
    /// - Returns: nil if ArgumentParser must read it, since there is something else in it, or something wrong with it.
    init?(commonArguments words: [String]) {
        self.init()
        var connectTimeout: Duration?
        var words = words[...]
        while let word = words.popFirst() {
            switch word {
            case "--target":
                guard let value = words.popFirst(), let target = try? Target(value) else { return nil }
                targets.append(target)
            case "--timeout":
                guard timeout == nil, let time = Self.time(words.popFirst(), atLeast: .zero) else {
                    return nil
                }
                timeout = time
            case "--connect-timeout":
                guard connectTimeout == nil, let time = Self.time(words.popFirst(), atLeast: .milliseconds(1))
                else { return nil }
                connectTimeout = time
            case "-f":
                guard let value = words.popFirst() else { return nil }
                files.append(value)
            case "--json":
                guard !printsJSON else { return nil }
                printsJSON = true
            case "-v":
                guard !isVerbose else { return nil }
                isVerbose = true
            default: return nil
            }
        }
        if let connectTimeout { self.connectTimeout = connectTimeout }
    }

    private static func time(_ text: String?, atLeast minimum: Duration) -> Duration? {
        guard let text, let time = try? Duration(text: text), (minimum ... .longest).contains(time) else {
            return nil
        }
        return time
    }
}
