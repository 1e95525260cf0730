import Foundation
import ScriptedPeers
import Testing

/// sum-servers on hosts of their own, all on one port, like the addresses of one name.
struct ServerFleet {
    private(set) var servers: [ServerProcess] = []
    private let network = LoopbackNetwork()
    private let arguments: [String]

    init(of count: Int, _ arguments: [String] = []) async throws {
        self.arguments = arguments
        for number in 1...count {
            let port = servers.first?.port ?? "0"
            servers.append(try await start("\(network.host(number)):\(port)"))
        }
    }

    private func start(_ address: String) async throws -> ServerProcess {
        try await ServerProcess("sum-server", ["--listen", address] + arguments)
    }

    var addresses: [String] { servers.map(\.address) }
    /// The hosts of the addresses.
    var hosts: [String] { servers.indices.map { network.host($0 + 1) } }
    /// All addresses as one target.
    var target: String { "ipv4:" + addresses.joined(separator: ",") }

    /// Sends a signal to the tool itself, not to the `timeout` that is its parent.
    func signal(_ signal: Int32, to index: Int) throws {
        kill(try #require(Tool.child(of: servers[index].id)), signal)
    }

    /// Waits until a server that was sent a signal has ended, and starts another at its address.
    mutating func restart(_ index: Int) async throws {
        let address = servers[index].address
        _ = await servers[index].ended()
        servers[index] = try await start(address)
    }
}

extension ServerProcess {
    /// The port of its address.
    var port: Substring? { address.split(separator: ":").last }
}
