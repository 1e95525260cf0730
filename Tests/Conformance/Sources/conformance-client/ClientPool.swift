import ConformanceMessages
import SumCore

/// One client for each server and message limit that the requests name.
actor ClientPool {
    private struct Key: Hashable {
        var target: Target
        var messageLimit: Int
    }

    private var clients: [Key: GRPCClient] = [:]

    func client(for request: ClientCompatRequest) throws -> GRPCClient {
        guard request.serverTlsCert.isEmpty else {
            throw UnusableRequest(description: "TLS is not supported")
        }
        let target = try Target("\(request.host):\(request.port)")
        let key = Key(target: target, messageLimit: Int(request.messageReceiveLimit))
        if let client = clients[key] { return client }
        var configuration = GRPCClient.Configuration()
        if key.messageLimit > 0 { configuration.maxMessageSize = key.messageLimit }
        let client = GRPCClient(target: target, configuration: configuration)
        clients[key] = client
        return client
    }

    func close() async {
        for client in clients.values { await client.close() }
    }
}

/// Why the call that a request describes cannot be made.
struct UnusableRequest: Error, CustomStringConvertible {
    var description: String
}
