import SumCore
import Testing

@testable import SumTelemetry

@Suite struct ExportLogTests {
    private let start = ContinuousClock.now

    private func failed(_ message: String) -> ExportOutcome {
        .failed(GRPCStatus(code: .unavailable, message: message))
    }

    @Test("A collector that is down makes one line a minute")
    func failures() {
        var log = ExportLog("spans", to: "dns:///c")
        let lines = (0..<120).compactMap { log.line(failed("no\n"), at: start + .seconds($0)) }
        #expect(
            lines == [
                .init(isWarning: true, text: #"spans cannot be exported to dns:///c: UNAVAILABLE: no\n"#),
                .init(
                    isWarning: true,
                    text: #"spans cannot be exported to dns:///c (61 times now): UNAVAILABLE: no\n"#),
            ])
        let line = log.line(.answered(rejected: 0, message: ""), at: start + .seconds(120))
        #expect(
            line
                == .init(
                    isWarning: false, text: "spans are exported to dns:///c again, after 120 failed attempts")
        )
        #expect(log.line(.answered(rejected: 0, message: ""), at: start + .seconds(121)) == nil)
        // A new failure is said at once.
        #expect(log.line(failed("no"), at: start + .seconds(122)) != nil)
    }

    @Test("What a collector says with success is said once")
    func words() {
        var log = ExportLog("metrics", to: "c")
        let answer = ExportOutcome.answered(rejected: 2, message: "too \u{1b} old")
        #expect(
            log.line(answer, at: start)
                == .init(isWarning: true, text: #"c has rejected 2 of the metrics: too \u{1B} old"#))
        #expect(log.line(answer, at: start) == nil)
        #expect(
            log.line(.answered(rejected: 0, message: "please update"), at: start)
                == .init(isWarning: false, text: "c says about metrics: please update"))
        #expect(
            log.line(.answered(rejected: 1, message: ""), at: start)
                == .init(isWarning: true, text: "c has rejected 1 of the metrics: without a reason"))
    }
}
