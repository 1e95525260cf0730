import SumCore

/// Tells, for `--verbose`, what the client's connections do.
struct Narrator: ClientObserver {
    func targetResolved(to addresses: [String]) {
        if addresses.count > 1 { Console.say("addresses: \(addresses.joined(separator: ", "))") }
    }

    func targetNotResolved(_ reason: String) {
        Console.say(reason)
    }

    func connectionFailed(_ peer: Peer, _ reason: String) {
        Console.say("\(peer): \(reason)")
    }
}
