import Foundation
import Logging
import Synchronization
import Testing

@testable import SumCore
@testable import SumTelemetry

private let browser = ["chromium", "chromium-browser", "google-chrome"].map { "/usr/bin/\($0)" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

/// The page about a server in Chromium.
@Suite(
    .enabled(if: browser != nil, "install Debian's chromium to see the page in a browser"),
    .timeLimit(.minutes(10)))
struct BrowserTests {
    private static let hostile =
        #"<script>document.title="1"</script>'"><img src=x onerror='document.title=2'>"#

    /// Opens a page with hostile texts, and lets time pass in it.
    private static func open(
        _ arguments: [String], seconds: Int
    ) async throws -> (output: String, errors: String) {
        let connections = ConnectionList()
        let peer = Peer(
            address: hostile, certificate: PeerCertificate(identities: [.uri(hostile), .dns("a")]))
        let observer = connections.connectionOpened(peer)
        defer { withExtendedLifetime(observer) {} }
        let facts = StatusFacts(program: "sum-server", version: "1", options: [(hostile, hostile)])
        let count = Counter()
        let page = StatusPage(facts, connections: connections) {
            .sample(at: 4000, numbers: Int64(count.value.add(1, ordering: .relaxed).newValue) * 1_000_000)
        }
        let listener = try await OperatorListener.start(
            on: try ListenAddress("127.0.0.1:0"), pages: [.status(page)],
            logger: Logger(label: "pages") { _ in SwiftLogNoOpLogHandler() })
        let profile = FileManager.default.temporaryDirectory.appending(path: "sum-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: profile) }
        let chromium = Process()
        chromium.executableURL = URL(filePath: "/usr/bin/timeout")
        chromium.arguments =
            [
                "-k", "1", "300", browser ?? "", "--headless=new", "--no-sandbox", "--disable-gpu",
                "--no-first-run",
                "--user-data-dir=\(profile)", "--enable-logging=stderr",
                "--virtual-time-budget=\(seconds)000",
            ] + arguments + ["http://\(listener.address)/"]
        let (output, errors) = (Pipe(), Pipe())
        chromium.standardOutput = output
        chromium.standardError = errors
        try chromium.run()
        async let text = read(output)
        async let log = read(errors)
        let result = await (output: text, errors: log)
        chromium.waitUntilExit()
        await listener.close()
        return result
    }

    private final class Counter: Sendable {
        let value = Atomic(0)
    }

    private static func read(_ pipe: Pipe) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
    }

    @Test("The page updates by itself, runs nothing but its own script, and shows hostile text as text")
    func live() async throws {
        let (page, log) = try await Self.open(["--dump-dom"], seconds: 22)
        #expect(page.contains("<title>sum-server</title>"))
        #expect(page.contains("Live: updates every five seconds."))
        // Later snapshots have higher numbers.
        #expect(!page.contains("<dd>1,000,000</dd>"))
        #expect(page.contains("000,000</dd>"))
        #expect(page.components(separatedBy: "<script").count == 2)
        #expect(!page.contains("<img"))
        #expect(page.contains("&lt;script&gt;document.title"))
        // The browser says here what the policy forbade.
        #expect(!log.contains("Content Security Policy"), "\(log.suffix(2000))")
        #expect(!log.contains("CONSOLE"), "\(log.suffix(2000))")
    }
}
