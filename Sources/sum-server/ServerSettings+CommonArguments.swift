import SumCore

extension ServerSettings {
    /// Reads a command line of common options, for which starting ArgumentParser takes longer than starting the server.
    ///
    /// Only exact spellings are read: `--port N`, `--listen ADDRESS` and `--overflow BEHAVIOR`, and each but `--listen`
    /// once. A test holds the outcome equal to ArgumentParser's.
    ///
    /// - Returns: nil if ArgumentParser must read it, since there is something else in it, or something wrong with it.
    init?(commonArguments words: [String]) {
        guard words.count.isMultiple(of: 2) else { return nil }
        var (listen, port, overflow) = ([ListenRequest](), UInt16?.none, SumNumbers.Overflow?.none)
        for index in stride(from: 0, to: words.count, by: 2) {
            let value = words[index + 1]
            switch words[index] {
            case "--listen":
                guard let request = try? ListenRequest(value) else { return nil }
                listen.append(request)
            case "--port":
                guard port == nil, let number = UInt16(value) else { return nil }
                port = number
            case "--overflow":
                guard overflow == nil, let behavior = SumNumbers.Overflow(rawValue: value) else { return nil }
                overflow = behavior
            default: return nil
            }
        }
        guard listen.isEmpty || port == nil else { return nil }
        self.init()
        self.listen = port.map { [.address(.allInterfaces(port: Int($0)))] } ?? listen
        if let overflow { self.overflow = overflow }
    }
}
