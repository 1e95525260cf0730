import Testing

@testable import SumCore

@Suite struct ProxySettingTests {
    private static func route(
        _ environment: [String: String], _ setting: ProxySetting = .fromEnvironment, to host: String? = "sum"
    ) throws -> String {
        try setting.route(to: host, port: 50051, environment: environment).description
    }

    @Test(
        "The first variable that is not empty names the proxy; http_proxy never does",
        arguments: [
            ([:], ""),
            (["http_proxy": "p:1", "HTTP_PROXY": "p:1", "all_proxy": "p:1", "GRPC_PROXY": "p:1"], ""),
            (["grpc_proxy": "", "https_proxy": "", "HTTPS_PROXY": ""], ""),
            (["HTTPS_PROXY": "p:3"], "through proxy http://p:3 (from HTTPS_PROXY)"),
            (["https_proxy": "p:2", "HTTPS_PROXY": "p:3"], "through proxy http://p:2 (from https_proxy)"),
            (
                ["grpc_proxy": "p:1", "https_proxy": "p:2", "HTTPS_PROXY": "p:3"],
                "through proxy http://p:1 (from grpc_proxy)"
            ),
            (["grpc_proxy": "", "https_proxy": "p:2"], "through proxy http://p:2 (from https_proxy)"),
        ])
    func proxies(_ environment: [String: String], _ words: String) throws {
        #expect(try Self.route(environment) == words)
    }

    @Test(
        "The first variable that is not empty names the exceptions",
        arguments: [
            (["NO_PROXY": "sum"], "NO_PROXY"), (["no_proxy": "sum", "NO_PROXY": "x"], "no_proxy"),
            (["no_proxy": "", "NO_PROXY": "sum"], "NO_PROXY"),
            (["no_grpc_proxy": "sum", "no_proxy": "x"], "no_grpc_proxy"),
            (["no_grpc_proxy": "x", "no_proxy": "sum"], nil), (["NO_GRPC_PROXY": "sum"], nil),
        ])
    func exceptions(_ exceptions: [String: String], _ variable: String?) throws {
        let words = try Self.route(exceptions.merging(["https_proxy": "p:2"]) { $1 })
        #expect(
            words == variable.map { "directly: \($0) lists 'sum'" }
                ?? "through proxy http://p:2 (from https_proxy)")
    }

    @Test(
        "This machine is reached through a proxy only if one is given",
        arguments: [
            "localhost", "LocalHost", "localhost.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1",
            "::ffff:127.0.0.1",
        ])
    func loopback(_ host: String) throws {
        #expect(
            try Self.route(["https_proxy": "p:2"], to: host)
                == "directly: https_proxy does not apply to this machine itself")
        #expect(
            try Self.route(["no_proxy": "*"], .through(HTTPProxy("p:1")), to: host)
                == "through proxy http://p:1 (from the configuration)")
    }

    @Test(
        "Other hosts are not this machine", arguments: ["localhost.net", "notlocalhost", "128.0.0.1", "::2"])
    func elsewhere(_ host: String) throws {
        #expect(
            try Self.route(["https_proxy": "p:2"], to: host) == "through proxy http://p:2 (from https_proxy)")
    }

    @Test("A setting other than the default ignores the environment")
    func given() throws {
        let environment = ["https_proxy": "p:2", "no_proxy": "*"]
        #expect(try Self.route(environment, .none) == "directly: the configuration says so")
        #expect(
            try Self.route(environment, .through(HTTPProxy("p:1")))
                == "through proxy http://p:1 (from the configuration)")
    }

    @Test("A Unix domain socket is never reached through a proxy")
    func unix() throws {
        #expect(try Self.route([:], to: nil) == "")
        for setting in [ProxySetting.fromEnvironment, .through(try HTTPProxy("p:1"))] {
            #expect(
                try Self.route(["https_proxy": "x:y"], setting, to: nil)
                    == "directly: a Unix domain socket needs no proxy")
        }
    }

    @Test("An invalid proxy in the environment is an error where it would be used, and only there")
    func invalid() throws {
        let environment = ["https_proxy": "http://alice:s3cret", "no_proxy": "elsewhere"]
        let error = #expect(throws: InvalidAddress.self) { try Self.route(environment) }
        #expect(
            error?.description
                == "the proxy in the environment variable https_proxy is invalid: its port is not a number from "
                + "1 to 65535; write it as http://[USER:PASSWORD@]HOST[:PORT]")
        #expect(try Self.route(environment, to: "elsewhere") == "directly: no_proxy lists 'elsewhere'")
        #expect(try Self.route(environment, to: "localhost").hasPrefix("directly"))
    }

    @Test("The server's zone stays on this machine")
    func zone() throws {
        let route = try ProxySetting.through(HTTPProxy("p:1")).route(
            to: "fe80::1%eth0", port: 1, environment: [:])
        #expect(route.tunnel?.target == "[fe80::1]:1")
    }

    @Test("A target is explained address by address, and not at all if nobody has mentioned a proxy")
    func explanation() throws {
        let target = try Target("ipv4:10.0.0.1:1,10.0.0.2:2")
        #expect(
            ProxySetting.through(try HTTPProxy("u:w@p:1")).explanation(for: target, source: "--proxy") == [
                "10.0.0.1:1 is reached through proxy http://p:1 (from --proxy)",
                "10.0.0.2:2 is reached through proxy http://p:1 (from --proxy)",
            ])
        #expect(
            ProxySetting.none.explanation(for: try Target("sum"), source: "--proxy")
                == ["sum:50051 is reached directly: --proxy says so"])
    }
}
