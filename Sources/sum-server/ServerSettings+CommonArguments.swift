import SumCore

extension ServerSettings {
    /// Reads a command line of common options, for which starting ArgumentParser takes longer than starting the server.
    ///
    /// Only exact spellings are read: `--host HOST`, `--port N`, `--listen ADDRESS` and `--overflow BEHAVIOR`, and each but
    /// `--listen` once. A test holds the outcome equal to ArgumentParser's.
    ///
    /// - Returns: nil if ArgumentParser must read it, since there is something else in it, or something wrong with it.
    init?(commonArguments words: [String]) {
        guard words.count.isMultiple(of: 2) else { return nil }
        var (listen, host, port) = ([ListenRequest](), String?.none, UInt16?.none)
        var overflow: SumNumbers.Overflow?
        for index in stride(from: 0, to: words.count, by: 2) {
            let value = words[index + 1]
            switch words[index] {
            case "--listen":
                guard let request = try? ListenRequest(value) else { return nil }
                listen.append(request)
            case "--host":
                guard host == nil else { return nil }
                host = value
            case "--port":
                guard port == nil, let number = UInt16(value) else { return nil }
                port = number
            case "--overflow":
                guard overflow == nil, let behavior = SumNumbers.Overflow(rawValue: value) else { return nil }
                overflow = behavior
            default: return nil
            }
        }
        guard listen.isEmpty || (port == nil && host == nil) else { return nil }
        guard let addresses = try? ListenOptions.all(listen, host: host, port: port) else { return nil }
        self.init()
        self.listen = addresses
        if let overflow { self.overflow = overflow }
    }
}
