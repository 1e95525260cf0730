import SumCore

extension ClientSettings {
    /// Reads a command line of common options, for which starting ArgumentParser takes longer than a short call.
    ///
    /// Only exact spellings are read: `--target TARGET`, `--timeout DURATION`, `-f FILE`, `--json` and `-v`, and each but
    /// `--target` and `-f` once. A test holds the outcome equal to ArgumentParser's.
    ///
    /// - Parameter words: the command line without numbers (`Arguments.options`).
    /// - Returns: nil if ArgumentParser must read it, since there is something else in it, or something wrong with it.
    init?(commonArguments words: [String]) {
        self.init()
        var words = words[...]
        while let word = words.popFirst() {
            switch word {
            case "--target":
                guard let value = words.popFirst(), let target = try? Target(value) else { return nil }
                targets.append(target)
            case "--timeout":
                guard timeout == nil, let value = words.popFirst(), let time = try? Duration(text: value),
                    (.zero ... .longest).contains(time)
                else { return nil }
                timeout = time
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
    }
}
