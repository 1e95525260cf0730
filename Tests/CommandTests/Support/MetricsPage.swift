import Foundation

/// A page of metrics that a server serves, as curl gets it.
struct MetricsPage {
    struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    /// Nobody answers. Whoever waits for a page waits no longer.
    struct NoAnswer: Error {
        var reason: String
    }

    let text: String
    let samples: [Sample]

    /// - Parameter address: `unix:PATH` or `HOST:PORT`.
    init(_ address: String) async throws {
        self.init(text: try await Self.get("/metrics", address).body)
    }

    init(text: String) {
        self.text = text
        samples = text.split(separator: "\n").compactMap(Self.sample)
    }

    /// The body and the status code of a page.
    static func get(_ path: String, _ address: String) async throws -> (body: String, status: String) {
        let isUnix = address.hasPrefix("unix:")
        let place =
            isUnix
            ? ["--unix-socket", String(address.dropFirst(5)), "http://localhost\(path)"]
            : ["http://\(address)\(path)"]
        let result = try await Tool.run(
            "/usr/bin/curl", ["--silent", "--show-error", "--write-out", "%{http_code}"] + place)
        guard result.status == 0 else { throw NoAnswer(reason: result.errors) }
        return (String(result.output.dropLast(3)), String(result.output.suffix(3)))
    }

    /// Gets the page again until `isWanted`: what a client sees of its call may come before the server's record of it.
    static func wait(for address: String, until isWanted: (MetricsPage) -> Bool) async throws -> MetricsPage {
        while true {
            let page = try await MetricsPage(address)
            if isWanted(page) { return page }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The sum of all samples with a name and at least these labels.
    func total(_ name: String, _ labels: [String: String] = [:]) -> Double {
        samples.filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }.reduce(0) { $0 + $1.value }
    }

    /// A sample's line; nil for a comment. The tests' labels have no quotes or commas in their values.
    private static func sample(_ line: Substring) -> Sample? {
        guard !line.hasPrefix("#"), let space = line.lastIndex(of: " "),
            let value = Double(line[line.index(after: space)...])
        else { return nil }
        let head = line[..<space]
        guard let brace = head.firstIndex(of: "{") else {
            return Sample(name: String(head), labels: [:], value: value)
        }
        let pairs = head[head.index(after: brace)...].dropLast().split(separator: ",").compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1].dropFirst().dropLast())) : nil
        }
        return Sample(
            name: String(head[..<brace]), labels: Dictionary(pairs, uniquingKeysWith: { $1 }), value: value)
    }
}
