import Foundation
import FoundationXML
import ScriptedPeers
import Testing

@testable import SumCore
@testable import SumTelemetry

/// The page as a strict reader sees it.
private final class PageReader: NSObject, XMLParserDelegate {
    private(set) var elements: [String: Int] = [:]
    private(set) var text = ""
    private(set) var attributes: [String] = []
    private(set) var error: (any Error)?

    init(_ page: String) {
        super.init()
        let parser = XMLParser(data: Data(page.utf8))
        parser.delegate = self
        _ = parser.parse()
        error = parser.parserError
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        elements[name, default: 0] += 1
        self.attributes += attributes.map { "\($0.key)=\($0.value)" }
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) { text += characters }
}

@Suite struct StatusPageTests {
    private static let hostile = #"<script>alert("1")</script> & '"><img src=x onerror=alert(2)> ]]> </td>"#

    private static func page(
        _ snapshot: MetricsSnapshot = .sample(at: 4000), facts: StatusFacts? = nil,
        peers: [Peer] = []
    ) -> String {
        let connections = ConnectionList()
        let observers = peers.map { connections.connectionOpened($0) }
        defer { withExtendedLifetime(observers) {} }
        return StatusPage(
            facts ?? StatusFacts(program: "sum-server", version: "1.2.3"), connections: connections
        ) { snapshot }.html()
    }

    @Test("The page is well-formed, with and without anything to show")
    func wellFormed() {
        let empty = PageReader(Self.page(MetricsSnapshot(startTime: 0, time: 0, metrics: [])))
        #expect(empty.error == nil)
        #expect(empty.elements["section"] == 5)
        #expect(empty.elements["table"] == nil)
        let full = PageReader(
            Self.page(
                .sample(at: 4000, numbers: 1_234_567, calls: 12, durations: [5, 5, 1]),
                facts: .init(
                    program: "sum-server", version: "1.2.3", addresses: ["127.0.0.1:1"],
                    options: [("--drain-delay", "5s")]), peers: [Peer(address: "127.0.0.1:40000")]))
        #expect(full.error == nil)
        #expect(full.elements["table"] == 3)
        for words in [
            "1,234,567", "127.0.0.1:40000", "--drain-delay", "a/b", "serving", "1\u{a0}h 6\u{a0}min",
        ] {
            #expect(full.text.contains(words), "\(words)")
        }
    }

    @Test("What a peer wrote is text, wherever it is shown")
    func escaping() {
        let names = [PeerIdentity.uri(Self.hostile)]
        var snapshot = MetricsSnapshot.sample(at: 4000)
        for name in [
            "sum.server.offences", "sum.server.connections.refused", "sum.server.authorization.failures",
            "sum.server.certificate.not_after",
        ] {
            snapshot.metrics.append(
                .init(
                    name: name, help: "", unit: "", kind: .counter,
                    points: [.init(attributes: [.init("a", Self.hostile)], value: .integer(1))]))
        }
        snapshot.metrics.append(
            .init(
                name: "grpc.server.call.duration", help: "", unit: "s", kind: .histogram(bounds: [1]),
                points: [
                    .init(
                        attributes: [.init("grpc.method", Self.hostile), .init("grpc.status", Self.hostile)],
                        value: .histogram(counts: [1, 1], sum: 1))
                ]))
        snapshot.metrics.removeAll {
            if case .histogram(let bounds) = $0.kind { bounds.count == 2 } else { false }
        }
        let page = Self.page(
            snapshot,
            facts: .init(
                program: Self.hostile, version: Self.hostile, addresses: [Self.hostile],
                options: [(Self.hostile, Self.hostile)]),
            peers: [Peer(address: Self.hostile, certificate: PeerCertificate(identities: names))])
        let reader = PageReader(page)
        #expect(reader.error == nil)
        #expect(reader.elements["script"] == 1)
        #expect(reader.elements["img"] == nil)
        #expect(reader.text.components(separatedBy: Self.hostile).count > 12)
        #expect(
            !reader.attributes.contains {
                $0.hasPrefix("on") || $0.hasPrefix("src=") || $0.hasPrefix("style=")
            })
    }

    @Test("Control characters are shown as escapes, and long texts are cut")
    func controls() {
        let page = Self.page(peers: [
            Peer(address: "\u{1b}[2J\u{202e}\u{0}" + String(repeating: "x", count: 9999))
        ])
        #expect(PageReader(page).error == nil)
        #expect(page.contains(#"\u{1B}[2J\u{202E}\0"#))
        #expect(!page.contains(String(repeating: "x", count: 300)))
    }

    @Test("Connections are bounded, the oldest first, and those that close disappear")
    func connections() throws {
        let connections = ConnectionList()
        var observers = (0..<60).map { connections.connectionOpened(Peer(address: "p\($0)")) }
        #expect(connections.oldest(50).count == 60)
        #expect(connections.oldest(50).entries.first?.peer.address == "p0")
        let page = StatusPage(.init(program: "p", version: "1"), connections: connections) {
            .sample(at: 4000)
        }
        #expect(page.html().contains("the oldest 50 of 60"))
        let record = ServerConnectionRecord(
            peer: Peer(address: "p0"), duration: .zero, calls: 0, bytesReceived: 0, bytesSent: 0)
        observers.removeFirst()?.closed(record)
        #expect(connections.oldest(50).count == 59)
        #expect(connections.oldest(1).entries.map(\.peer.address) == ["p1"])
    }

    @Test("The policy allows exactly the page's own script and style", arguments: [true, false])
    func policy(_ isScript: Bool) throws {
        let text = (isScript ? StatusDocument.script : StatusDocument.style).description
        let page = Self.page()
        #expect(page.contains(isScript ? "<script>\(text)</script>" : "<style>\(text)</style>"))
        let hash = try Self.sha256(text)
        #expect(hash == (isScript ? StatusDocument.scriptHash : StatusDocument.styleHash))
        let policy = StatusDocument.contentSecurityPolicy
        #expect(policy.contains("\(isScript ? "script" : "style")-src 'sha256-\(hash)';"))
        #expect(policy.hasPrefix("default-src 'none';"))
        #expect(!policy.contains("unsafe"))
        #expect(!policy.contains("\n"))
    }

    /// In base64, by openssl.
    private static func sha256(_ text: String) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "sum-\(UUID().uuidString)")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let (openssl, output) = (Process(), Pipe())
        openssl.executableURL = URL(filePath: "/usr/bin/env")
        openssl.arguments = ["openssl", "dgst", "-sha256", "-binary", file.path]
        openssl.standardOutput = output
        try openssl.run()
        let digest = output.fileHandleForReading.readDataToEndOfFile()
        openssl.waitUntilExit()
        return digest.base64EncodedString()
    }

    @Test("Nothing is loaded from elsewhere, and nothing is kept")
    func selfContained() {
        let page = Self.page()
        // The namespace of the icon.
        #expect(page.components(separatedBy: "http://").count == 2)
        #expect(page.components(separatedBy: "https://").count == 1)
        let response = OperatorPage.status(
            StatusPage(.init(program: "p", version: "1"), connections: .init()) { .sample(at: 4000) }
        ).respond(.init())
        #expect(response.status == 200)
        #expect(response.contentType == "text/html; charset=utf-8")
        #expect(response.headers.contains { $0.name == "Content-Security-Policy" })
    }

    @Test("The words of a command line become options with values")
    func options() {
        let words = [
            "--listen", "a:1", "--listen", "b:2", "--access-log", "--overflow=wrap", "--x", "1", "2",
        ]
        let options: [String] = StatusFacts.options(words).map { $0.name + " " + $0.value }
        let expected = ["--listen a:1", "--listen b:2", "--access-log ", "--overflow wrap", "--x 1 2"]
        #expect(options == expected)
        let lone: [String] = StatusFacts.options(["a"]).map { $0.name }
        #expect(lone == ["a"])
    }

    @Test("Charts end at a round number, and stay within their place")
    func charts() {
        for largest in [0, 0.2, 1, 3, 9.9, 10, 12_345, 2e9] {
            let rates = (0..<61).map { index in
                StatusHistory.Rate(age: Double(60 - index) * 5, perSecond: largest * Double(index % 2))
            }
            let chart = StatusChart(rates)
            #expect(chart.top >= largest)
            #expect(chart.top <= max(largest * 2.5, 1))
            let picture = chart.svg("words").description
            for fault in ["\"-", " -", ",-", "nan"] { #expect(!picture.contains(fault)) }
        }
    }
}
