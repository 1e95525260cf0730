import Foundation
import ScriptedPeers
import Testing

/// sum-client and targets with several addresses.
@Suite(.timeLimit(.minutes(10))) struct SeveralAddressTests {
    private static let needsNames = ConditionTrait.enabled(
        if: HostName.isAvailable, "make test installs libnss-wrapper")

    @Test(
        "abuse-B1: a name with three addresses: one server is called, and -v names the addresses once",
        needsNames, arguments: [[], ["--lb", "pick_first"], ["--shuffle"], ["--lb", "round_robin"]])
    func name(_ options: [String]) async throws {
        let fleet = try await ServerFleet(of: 3)
        let name = try HostName(fleet.hosts)
        let target = "\(HostName.name):\(fleet.servers[0].port ?? "")"
        let result = try await name.client(options + ["-v", "--target", target, "1", "2", "3"])
        #expect(result.output == "6\n")
        let lines = result.errors.split(separator: "\n")
        #expect(lines.first == "sum-client: addresses: \(fleet.addresses.joined(separator: ", "))")
        #expect(lines.count { $0.contains("addresses:") } == 1)
        #expect(fleet.addresses.contains { lines.contains("sum-client: connected to \($0)") })
    }

    @Test("With --shuffle each server of a name is the first at times", needsNames)
    func shuffle() async throws {
        let fleet = try await ServerFleet(of: 3)
        let name = try HostName(fleet.hosts)
        let target = "\(HostName.name):\(fleet.servers[0].port ?? "")"
        var used: Set<String> = []
        while used.count < 3 {
            let result = try await name.client(["--shuffle", "-v", "--target", target, "1"])
            #expect(result.output == "1\n")
            used.formUnion(fleet.addresses.filter { result.errors.contains("connected to \($0)\n") })
        }
    }

    @Test(
        "abuse-B1: an address that refuses is passed over, and -v says so",
        needsNames, arguments: [[], ["--lb", "round_robin"], ["--spread"]])
    func refusing(_ options: [String]) async throws {
        let server = try await ServerProcess()
        let name = try HostName(["127.0.0.9", "127.0.0.1"])
        let target = "\(HostName.name):\(server.port ?? "")"
        let result = try await name.client(options + ["-v", "--target", target, "1", "2", "3"])
        #expect(result.output == "6\n")
        // Round robin and --spread may be done before the other address has refused.
        guard options.isEmpty else { return }
        #expect(result.errors.contains("sum-client: 127.0.0.9:\(server.port ?? ""): Connection refused\n"))
    }

    @Test(
        "abuse-B1: if no address of a name can be used, the error has the reason of each", needsNames,
        arguments: ["pick_first", "round_robin"])
    func reasons(_ policy: String) async throws {
        let alien = try ScriptedServer { peer in
            _ = try peer.receiveBytes()
            try peer.send(bytes: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        }
        let port = alien.address.split(separator: ":").last ?? ""
        let name = try HostName(["127.0.0.1", "127.0.0.8", "127.0.0.9"])
        let arguments = ["--lb", policy, "--target", "\(HostName.name):\(port)", "1"]
        let result = try await name.client(arguments, connectTimeout: "2s")
        #expect(result.output.isEmpty)
        #expect(result.status == 78)
        #expect(
            result.errors
                == "sum-client: UNAVAILABLE: cannot connect to \(HostName.name):\(port): "
                + "127.0.0.1:\(port): the server does not speak HTTP/2 in clear text: it began with "
                + "'HTTP/1.1 400 Bad Request\\r\\n\\r\\n'; "
                + "127.0.0.8:\(port): Connection refused; 127.0.0.9:\(port): Connection refused\n")
        alien.stopListening()
    }

    @Test(
        "audit-C1: the deadline holds while no name server answers",
        .enabled(if: SilentNameServer.isAvailable, "it takes root, to make a network"),
        arguments: [[], ["--spread"]])
    func silentNameServer(_ options: [String]) async throws {
        let result = try await SilentNameServer.client(
            options + ["--target", "sum.test:1", "--timeout", "500ms", "1"])
        #expect(result.output == "")
        #expect(
            result.errors
                == "sum-client: DEADLINE_EXCEEDED: the deadline has passed while connecting to sum.test:1\n")
        #expect(result.status == 68)
    }

    @Test("--spread over a name uses each of its addresses", needsNames)
    func spread() async throws {
        let fleet = try await ServerFleet(of: 3, ["--log-level", "trace"])
        let name = try HostName(fleet.hosts)
        let target = "\(HostName.name):\(fleet.servers[0].port ?? "")"
        let numbers = Array(1...3000)
        let result = try await name.client(
            ["--spread", "--chunk", "10", "--json", "--target", target],
            input: .text(numbers.map { "\($0)" }.joined(separator: " ")))
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(json["sum"] as? Int == numbers.reduce(0, +))
        let shares = try #require(json["servers"] as? [[String: Any]])
        #expect(shares.compactMap { $0["address"] as? String } == fleet.addresses)
        #expect(shares.compactMap { $0["numbers"] as? Int }.reduce(0, +) == numbers.count)
    }

    @Test(
        "abuse-B1: a name that is unknown does not keep a client from the other targets", needsNames,
        arguments: [[], ["--lb", "round_robin"], ["--spread"]])
    func unknownName(_ options: [String]) async throws {
        let server = try await ServerProcess()
        // There are no name servers in this hosts file, so the name is known at once not to exist. It is the only name:
        // nss_wrapper sometimes finds nothing when it is asked twice at the same time.
        let name = try HostName(["127.0.0.1"])
        let targets = ["--target", "unknown.invalid:1", "--target", server.address]
        let result = try await name.client(options + targets + ["1", "2", "3"])
        #expect(result.output == "6\n", "\(result.errors)")
        let none = try await name.client(
            ["--target", "unknown.invalid:1", "--target", "127.0.0.9:\(server.port ?? "")", "1"],
            connectTimeout: "2s")
        #expect(none.status == 78)
        #expect(none.errors.contains("the name 'unknown.invalid' cannot be resolved"), "\(none.errors)")
        #expect(none.errors.contains("127.0.0.9:\(server.port ?? ""): Connection refused"), "\(none.errors)")
    }

    @Test(
        "abuse-B2: an address that drops packets and one that accepts and says nothing do not keep a client from the third",
        arguments: [[], ["--lb", "round_robin"], ["--spread"]])
    func silence(_ options: [String]) async throws {
        let dropping = try SilentAddress()
        let mute = try ScriptedServer { peer in while try !peer.receiveBytes().isEmpty {} }
        let server = try await ServerProcess()
        let targets = [dropping.address, mute.address, server.address].flatMap { ["--target", $0] }
        let result = try await Tool.run("sum-client", options + targets + ["1", "2", "3"])
        #expect(result.output == "6\n", "\(result.errors)")
        #expect(result.errors == "")
        try await mute.end()
    }
}
