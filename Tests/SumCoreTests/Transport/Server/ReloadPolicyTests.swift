import NIOCore
import Testing

@testable import SumCore

/// What is logged about files that are read again and again.
@Suite struct ReloadPolicyTests {
    private typealias Step = (outcome: ReloadPolicy.Outcome, cause: ReloadPolicy.Cause, line: String?)

    private static let failure = "not reloaded, what was in use stays: "

    private static let series: [[Step]] = [
        // A change is news, however it was found.
        [(.unchanged, .time, nil), (.changed(summary: "c"), .time, "reloaded: c"), (.unchanged, .time, nil)],
        [(.changed(summary: "c"), .request, "reloaded: c")],
        [(.unchanged, .request, "nothing to reload: no file has changed")],
        // A failure is told at the second time, and once.
        [
            (.failed("a"), .time, nil), (.failed("a"), .time, failure + "a"), (.failed("a"), .time, nil),
            (.failed("b"), .time, failure + "b"), (.changed(summary: "c"), .time, "reloaded: c"),
            (.failed("a"), .time, nil), (.unchanged, .time, nil), (.failed("a"), .time, nil),
            (.failed("a"), .time, failure + "a"),
        ],
        // Whoever asks gets an answer each time.
        [
            (.failed("a"), .request, failure + "a"), (.failed("a"), .request, failure + "a"),
            (.failed("a"), .time, nil),
        ],
    ]

    @Test("tls-R1: each series of outcomes has its lines", arguments: series.indices)
    func table(_ index: Int) {
        var policy = ReloadPolicy()
        for (number, step) in Self.series[index].enumerated() {
            let lines = policy.lines(
                step.outcome, step.cause, warning: nil, at: .uptimeNanoseconds(UInt64(number)))
            let texts = lines.map { line in
                switch line {
                case .info(let text), .warning(let text): text
                }
            }
            #expect(texts == (step.line.map { [$0] } ?? []))
        }
    }

    @Test("A warning is repeated every day, and told at once when it is another one")
    func warnings() {
        var policy = ReloadPolicy()
        let start = NIODeadline.uptimeNanoseconds(0)
        func warn(_ text: String?, at hour: Int64) -> [ReloadPolicy.Line] {
            policy.lines(.unchanged, .time, warning: text, at: start + .hours(hour))
        }
        #expect(warn("expires", at: 0) == [.warning("expires")])
        #expect(warn("expires", at: 23) == [])
        #expect(warn("expires", at: 24) == [.warning("expires")])
        #expect(warn("expired", at: 25) == [.warning("expired")])
        #expect(warn(nil, at: 26) == [])
        #expect(warn("expires", at: 27) == [.warning("expires")])
    }
}
