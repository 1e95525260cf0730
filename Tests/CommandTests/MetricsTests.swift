import Foundation
import ScriptedPeers
import SumCore
import Testing

/// `sum-server --metrics-listen`, over loopback: what is on the page is what has happened.
@Suite(.timeLimit(.minutes(20))) struct MetricsTests {
    private static let method = ["grpc_method": "tutorial.NumberService/SumNumbers"]
    private static let started = "grpc_server_call_started_total"
    private static let ended = "grpc_server_call_duration_seconds_count"

    private static func with(_ status: String) -> [String: String] {
        method.merging(["grpc_status": status]) { $1 }
    }

    /// A server with pages on a Unix domain socket.
    private static func server(
        _ options: [String] = [], listen: [String] = ["--listen", "127.0.0.1:0"]
    ) async throws -> (server: ServerProcess, pages: String) {
        let pages = "unix:\(Tool.temporaryPath()).sock"
        return (try await ServerProcess("sum-server", listen + ["--metrics-listen", pages] + options), pages)
    }

    @Test("Calls, numbers and bytes on the page are those that were sent")
    func numbers() async throws {
        let (server, pages) = try await Self.server()
        let inputs: [[Int]] = [[], [1, 2, 3], Array(1...2000), [-1], [2_147_483_647, 1]]
        var bytes = 0
        for input in inputs {
            let text = input.map { "\($0)" }.joined(separator: " ")
            _ = try await Tool.run("sum-client", ["--target", server.address], input: .text(text))
            bytes += input.reduce(0) { $0 + ($1 < 0 ? 11 : $1 < 128 ? 2 : $1 < 16_384 ? 3 : 6) }
        }
        let page = try await MetricsPage.wait(for: pages) { $0.total(Self.ended) == Double(inputs.count) }
        #expect(page.total(Self.started, Self.method) == 5)
        #expect(page.total(Self.ended, Self.with("OK")) == 4)
        #expect(page.total(Self.ended, Self.with("OUT_OF_RANGE")) == 1)
        #expect(page.total("sum_server_numbers_total") == Double(inputs.joined().count))
        let received = "grpc_server_call_rcvd_total_compressed_message_size_bytes"
        #expect(page.total("\(received)_sum") == Double(bytes))
        #expect(page.total("\(received)_count") == 5)
        // 0, 6, 2001000 and -1, each with a tag but the first, which is left out.
        let sent = "grpc_server_call_sent_total_compressed_message_size_bytes"
        #expect(page.total("\(sent)_sum") == Double(0 + 2 + 4 + 11))
        #expect(page.total("\(Self.ended.dropLast("_count".count))_sum") > 0)
        // Even a call that begins and ends with one read takes time.
        #expect(page.total("grpc_server_call_duration_seconds_bucket", ["le": "0"]) == 0)
        #expect(page.total("sum_server_connections_opened_total") == 5)
        #expect(page.total("process_resident_memory_bytes") > 1e6)
        #expect(page.total("process_start_time_seconds") > 1.5e9)
        #expect(page.total("target_info", ["service_name": "sum-server"]) == 1)
        let idle = try await MetricsPage.wait(for: pages) { $0.total("sum_server_connections") == 0 }
        #expect(idle.total("sum_server_draining") == 0)
        // The page for people says the same.
        let people = try await MetricsPage.get("/", pages).body
        let tiles = [("numbers", "2,006"), ("calls", "5"), ("calls in flight", "0"), ("connections", "0")]
        for (label, value) in tiles {
            #expect(people.contains("<dt>\(label)</dt><dd>\(value)</dd>"))
        }
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("address=\(pages) "))
        #expect(log.contains("serving pages for operators"))
        #expect(!FileManager.default.fileExists(atPath: String(pages.dropFirst(5))))
    }

    @Test(
        "While the server drains, it is alive and not ready, and its metrics can be read",
        arguments: [true, false])
    func draining(hasDelay: Bool) async throws {
        let (server, pages) = try await Self.server(
            ["--log-level", "trace", "--drain-timeout", "1h"] + (hasDelay ? ["--drain-delay", "1h"] : []))
        #expect(try await MetricsPage.get("/readyz", pages) == ("ready\n", "200"))
        let open = try OpenCall(server.address)
        await server.waitForCall()
        server.signal(SIGTERM)
        await server.waitFor(hasDelay ? "serving until the drain delay has passed" : "stopping")
        #expect(try await MetricsPage.get("/readyz", pages) == ("not ready\n", "503"))
        #expect(try await MetricsPage.get("/healthz", pages) == ("ok\n", "200"))
        // The open call's number counts already.
        let page = try await MetricsPage.wait(for: pages) { $0.total("sum_server_numbers_total") == 1 }
        #expect(page.total("sum_server_draining") == 1)
        #expect(page.total(Self.started) - page.total(Self.ended) == 1)
        let people = try await MetricsPage.get("/", pages).body
        #expect(people.contains("<dt>calls in flight</dt><dd>1</dd>"))
        #expect(people.contains("draining</span>"))
        if hasDelay {
            try await Task.sleep(for: .milliseconds(600))
            server.signal(SIGTERM)
        }
        #expect(await open.finish(sending: "2").output == "42\n")
        #expect(await server.ended().status == 0)
    }

    @Test("What clients do wrong, and what they may not do, is counted under our words")
    func wrongs() async throws {
        let (server, pages) = try await Self.server(["--max-connections", "1"])
        let socket = try WireSocket(connectingTo: server.address)
        try socket.send(bytes: WireFrame.preface + WireFrame.settings().bytes)
        _ = try socket.receive(.settings)
        // One connection too many.
        #expect(try WireSocket(connectingTo: server.address).receiveBytes() == [])
        let bad = [WireFrame](
            [1, 3].map {
                .headers(.request.with(WireField(":path", "/x\"{}\\\($0)")), on: $0, endStream: true)
            })
        for frame in bad { try socket.send(frame) }
        try socket.send(WireFrame(.data, payload: [0]))
        _ = try? socket.receiveAll()
        let page = try await MetricsPage.wait(for: pages) { $0.total("sum_server_offences_total") == 1 }
        #expect(page.total("sum_server_offences_total", ["reason": "protocol_error"]) == 1)
        #expect(
            page.total("sum_server_connections_refused_total", ["reason": "too_many_connections"]) == 1)
        #expect(page.total(Self.started, ["grpc_method": "other"]) == 2)
        #expect(!page.text.contains("/x"))
    }

    @Test("TLS handshakes, callers, certificates and reloads")
    func security() async throws {
        let tokens = Tool.temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: tokens) }
        try "0123456789abcdef one\n".write(toFile: tokens, atomically: true, encoding: .utf8)
        let (certificate, key) = (
            try TestCertificates.path("good.pem"), try TestCertificates.path("good-key.pem")
        )
        let (server, pages) = try await Self.server([
            "--tls-cert", certificate, "--tls-key", key, "--auth-token-file", tokens,
        ])
        let port = try #require(server.address.split(separator: ":").last)
        func call(_ options: [String]) async throws -> Int32 {
            try await Tool.run("sum-client", ["--target", "localhost:\(port)"] + options + ["1"]).status
        }
        let ca = ["--cacert", try TestCertificates.path("ca.pem")]
        #expect(try await call(["--tls"] + ca) == 64 + 16)
        #expect(try await call(["--tls", "--connect-timeout", "1s"]) != 0)
        let page = try await MetricsPage.wait(for: pages) {
            $0.total("grpc_server_tls_handshakes_total", ["grpc_tls_handshake_result": "SUCCESS"]) == 1
                && $0.total("grpc_server_tls_handshakes_total") > 1
        }
        #expect(page.total("sum_server_authorization_failures_total", ["reason": "unauthenticated"]) == 1)
        #expect(page.total(Self.ended, Self.with("UNAUTHENTICATED")) == 1)
        #expect(page.total("sum_server_certificate_not_after_seconds") > Date().timeIntervalSince1970)
        try "short one\n".write(toFile: tokens, atomically: true, encoding: .utf8)
        server.signal(SIGHUP)
        _ = try await MetricsPage.wait(for: pages) {
            $0.total("sum_server_reloads_total", ["result": "failure"]) >= 1
        }
        try "0123456789abcdeX one\n".write(toFile: tokens, atomically: true, encoding: .utf8)
        server.signal(SIGHUP)
        _ = try await MetricsPage.wait(for: pages) {
            $0.total("sum_server_reloads_total", ["result": "success"]) == 1
        }
    }

    @Test(
        "An address for the pages that cannot be used is an error",
        arguments: [
            ("nonsense", 64, "has no port"),
            ("unix:/nonexistent/x.sock", 1, "cannot listen on unix:/nonexistent/x.sock"),
        ])
    func badAddress(_ address: String, _ status: Int32, _ reason: String) async throws {
        let result = try await Tool.run(
            "sum-server", ["--listen", "127.0.0.1:0", "--metrics-listen", address])
        #expect(result.status == status)
        #expect(result.errors.contains(reason), "\(result.errors)")
        #expect(result.output == "")
    }

    @Test("Without the option there are no pages, and no word about them")
    func off() async throws {
        let server = try await ServerProcess()
        #expect(try await Tool.run("sum-client", ["--target", server.address, "1"]).output == "1\n")
        #expect(await server.stop().log.contains("pages") == false)
    }
}
