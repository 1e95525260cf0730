internal import SumCore

/// The page about a server as HTML.
enum StatusDocument {
    static func html(_ report: StatusReport) -> HTML {
        let facts = report.facts
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta name="robots" content="noindex"/>
            <title>\(facts.program)</title>
            <link rel="icon" href="\(icon)"/>
            <style>\(style)</style>
            </head>
            <body>
            <header>
            <h1>\(facts.program) <span class="version">\(facts.version)</span></h1>
            <p id="live" role="status">A snapshot: reload the page for newer numbers.</p>
            </header>
            \(main(report))
            <footer><nav><a href="/metrics">metrics</a> <a href="/healthz">health</a> \
            <a href="/readyz">readiness</a></nav></footer>
            <script>\(script)</script>
            </body>
            </html>

            """
    }

    private static func main(_ report: StatusReport) -> HTML {
        """
        <main>
        <p class="state"><span class="pill \(report.isDraining ? "draining" : "serving")">\
        \(report.isDraining ? "draining" : "serving")</span> for \(StatusText.age(report.uptime)), \
        as of <time>\(StatusText.date(report.time))</time></p>
        \(tiles(report))
        <div class="charts">
        \(chart("Numbers per second", report.numberRates))
        \(chart("Calls per second", report.callRates))
        </div>
        \(calls(report.callRows))
        <div class="pair">
        \(limits(report.limits))
        \(certificates(report))
        </div>
        \(connections(report))
        \(options(report.facts))
        </main>
        """
    }

    // MARK: Numbers and charts

    private static func tiles(_ report: StatusReport) -> HTML {
        var tiles: [(label: String, value: String)] = [
            ("numbers", StatusText.count(report.numbers)), ("calls", StatusText.count(report.calls)),
            ("calls in flight", StatusText.count(report.openCalls)),
            ("connections", StatusText.count(report.connectionCount)),
        ]
        if let memory = report.memory {
            tiles.append(("memory", "\(StatusText.rate(Double(memory)))B"))
        }
        let items = HTML.joined(
            tiles.map { tile -> HTML in "<div><dt>\(tile.label)</dt><dd>\(tile.value)</dd></div>\n" })
        return "<dl class=\"tiles\">\n\(items)</dl>"
    }

    private static func chart(_ title: String, _ rates: [StatusHistory.Rate]) -> HTML {
        let chart = StatusChart(rates)
        let now = StatusText.rate(rates.last?.perSecond ?? 0)
        let most = StatusText.rate(rates.map(\.perSecond).max() ?? 0)
        return """
            <figure>
            <figcaption><span>\(title)</span> <b>\(now)</b></figcaption>
            <div class="plot"><div class="scale"><span>\(StatusText.rate(chart.top))</span>\
            <span>\(StatusText.rate(chart.top / 2))</span><span>0</span></div>
            \(chart.svg("\(title) over the last five minutes: now \(now), at most \(most)"))
            <div class="times"><span>5 min ago</span><span>now</span></div></div>
            </figure>
            """
    }

    // MARK: Tables

    private static func calls(_ rows: [StatusReport.CallRow]) -> HTML {
        let body = HTML.joined(
            rows.map { row -> HTML in
                """
                <tr><td>\(row.kind.method)</td><td>\(row.kind.status)</td>\
                <td class="n">\(StatusText.count(row.count))</td><td class="n">\(StatusText.count(row.recent))</td>\
                <td class="n">\(latency(row.median))</td><td class="n">\(latency(row.percentile90))</td>\
                <td class="n">\(latency(row.percentile99))</td></tr>

                """
            })
        return section(
            "Calls that have ended",
            note: "percentiles of the last five minutes, read from a histogram's buckets",
            head: """
                <th>method</th><th>status</th><th class="n">all</th><th class="n">last 5 min</th>\
                <th class="n">p50</th><th class="n">p90</th><th class="n">p99</th>
                """, body: body, none: "No call has ended yet.")
    }

    private static func latency(_ seconds: Double?) -> String {
        guard let seconds else { return "–" }
        return seconds.isFinite ? StatusText.latency(seconds) : "> 100\u{a0}s"
    }

    private static func limits(_ limits: [(name: String, count: Int64)]) -> HTML {
        let body = HTML.joined(
            limits.map { limit -> HTML in
                "<tr><td>\(limit.name)</td><td class=\"n\">\(StatusText.count(limit.count))</td></tr>\n"
            })
        return section(
            "Limits that were hit", head: "<th>what happened</th><th class=\"n\">times</th>", body: body,
            none: "None.")
    }

    private static func certificates(_ report: StatusReport) -> HTML {
        let body = HTML.joined(
            report.certificates.map { certificate -> HTML in
                let left = certificate.end - report.time
                let words: HTML =
                    switch left {
                    case ..<0: "<td class=\"n bad\">expired</td>"
                    case ..<(7 * 86_400): "<td class=\"n bad\">in \(StatusText.age(left))</td>"
                    default: "<td class=\"n\">in \(StatusText.age(left))</td>"
                    }
                return """
                    <tr><td>\(certificate.name.isEmpty ? "server" : certificate.name)</td>\
                    <td>\(StatusText.date(certificate.end))</td>\(words)</tr>

                    """
            })
        return section(
            "Certificates", head: "<th>certificate</th><th>valid until</th><th class=\"n\">ends</th>",
            body: body,
            none: "No TLS.")
    }

    private static func connections(_ report: StatusReport) -> HTML {
        let body = HTML.joined(
            report.connections.map { connection, age -> HTML in
                """
                <tr><td>\(connection.peer.description)</td><td>\(name(of: connection))</td>\
                <td class="n">\(StatusText.age(age))</td><td class="n">\(StatusText.count(Int64(connection.calls)))</td>\
                <td class="n">\(StatusText.count(Int64(connection.numbers)))</td></tr>

                """
            })
        let hidden = report.connectionCount - Int64(report.connections.count)
        return section(
            "Connections",
            note: hidden > 0
                ? "the oldest \(report.connections.count) of \(StatusText.count(report.connectionCount))"
                : "",
            head: """
                <th>client</th><th>certificate</th><th class="n">open for</th><th class="n">calls</th>\
                <th class="n">numbers</th>
                """, body: body, none: "Nobody is connected.")
    }

    /// The first name of the client's certificate.
    private static func name(of connection: ConnectionList.Entry) -> String {
        connection.peer.certificate?.identities.first?.name ?? "–"
    }

    private static func options(_ facts: StatusFacts) -> HTML {
        let addresses = facts.addresses.map { (name: "listening on", value: $0) }
        let body = HTML.joined(
            (addresses + facts.options).map { option -> HTML in
                "<tr><td>\(option.name)</td><td>\(option.value)</td></tr>\n"
            })
        return section(
            "Options", head: "<th>option</th><th>value</th>", body: body, none: "All as by default.")
    }

    private static func section(
        _ title: String, note: String = "", head: HTML, body: HTML, none: String
    ) -> HTML {
        let note: HTML = note.isEmpty ? "" : " <small>\(note)</small>"
        guard !body.description.isEmpty else {
            return "<section><h2>\(title)</h2><p class=\"none\">\(none)</p></section>"
        }
        return """
            <section><h2>\(title)\(note)</h2>
            <div class="table"><table><thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)</tbody></table></div></section>
            """
    }
}
