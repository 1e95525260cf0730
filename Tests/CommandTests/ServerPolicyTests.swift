import ArgumentParser
import Foundation
import SumCore
import Testing

@testable import sum_server

/// Parts of the server that need no process: signals, memory, options.
@Suite(.timeLimit(.minutes(10))) struct ServerPolicyTests {
    @Test(
        "audit-S1, audit-S5: the effect of each signal",
        arguments: [
            [(.stop, 0, .drain)],
            [(.stop, 0, .drain), (.stop, 0, .none), (.stop, 1, .none), (.stop, 499, .none)],
            [(.stop, 0, .drain), (.stop, 1, .none), (.stop, 500, .endAtOnce)],
            [(.stop, 0, .drain), (.stop, 60_000, .endAtOnce), (.stop, 60_001, .endAtOnce)],
            [
                (.reload, 0, .reload), (.stop, 1, .drain), (.reload, 2, .reload),
                (.stop, 3, .none),
            ],
            [(.reload, 0, .reload), (.reload, 1000, .reload), (.stop, 2000, .drain)],
        ] as [[(StopPolicy.Signal, Int, StopPolicy.Action)]])
    func signals(_ steps: [(StopPolicy.Signal, Int, StopPolicy.Action)]) {
        var policy = StopPolicy(drainDelay: .zero)
        let start = ContinuousClock.now
        for (signal, milliseconds, action) in steps {
            let found = policy.receive(signal, at: start + .milliseconds(milliseconds))
            #expect(found == action)
        }
    }

    @Test(
        "abuse-L12: with a drain delay of five seconds, a second signal ends the delay, and another one the server",
        arguments: [
            [(.stop, 0, .announce), (.stop, 499, .none), (.stop, 500, .drain), (.stop, 999, .none)],
            [(.stop, 0, .announce), (.stop, 4999, .drain), (.stop, 5001, .none), (.stop, 5499, .endAtOnce)],
            // The drain begins by itself at 5000.
            [(.stop, 0, .announce), (.stop, 5000, .none), (.stop, 5499, .none), (.stop, 5500, .endAtOnce)],
            [(.stop, 0, .announce), (.stop, 60_000, .endAtOnce), (.stop, 60_001, .endAtOnce)],
            [
                (.reload, 0, .reload), (.stop, 1, .announce), (.reload, 2, .reload),
                (.stop, 3, .none), (.reload, 6000, .reload), (.stop, 6001, .endAtOnce),
            ],
        ] as [[(StopPolicy.Signal, Int, StopPolicy.Action)]])
    func drainDelay(_ steps: [(StopPolicy.Signal, Int, StopPolicy.Action)]) {
        var policy = StopPolicy(drainDelay: .seconds(5))
        let start = ContinuousClock.now
        for (signal, milliseconds, action) in steps {
            #expect(policy.receive(signal, at: start + .milliseconds(milliseconds)) == action)
        }
    }

    @Test("abuse-L12: a delay shorter than half a second is over when it is over")
    func shortDrainDelay() {
        var policy = StopPolicy(drainDelay: .milliseconds(100))
        let start = ContinuousClock.now
        for (milliseconds, action) in [
            (0, .announce), (99, .none), (100, .none), (599, .none), (600, .endAtOnce),
        ]
            as [(Int, StopPolicy.Action)]
        {
            #expect(policy.receive(.stop, at: start + .milliseconds(milliseconds)) == action)
        }
    }

    @Test("audit-M6: the heap is trimmed when two polls in a row find enough free memory")
    func trim() {
        let mebibyte = 1 << 20
        // Memory that was resident at the start is not returned.
        var policy = TrimPolicy(resident: 10 * mebibyte, inUse: 2 * mebibyte)
        func mustTrim(_ resident: Int, _ inUse: Int) -> Bool {
            policy.mustTrim(resident: resident * mebibyte, inUse: inUse * mebibyte)
        }
        #expect(!policy.mayHaveGrown(resident: 12 * mebibyte))
        #expect(policy.mayHaveGrown(resident: 300 * mebibyte))
        // In use; then free for one poll, and for a second.
        #expect([mustTrim(300, 290), mustTrim(300, 3), mustTrim(300, 3)] == [false, false, true])
        // A trim that returned much is repeated; otherwise the next one follows after a pause, and then a longer one.
        policy.trimmed(from: 300 * mebibyte, to: 30 * mebibyte, inUse: 3 * mebibyte)
        #expect(mustTrim(30, 3))
        for pause in [2, 4, 8] {
            policy.trimmed(from: 30 * mebibyte, to: 29 * mebibyte, inUse: 3 * mebibyte)
            for _ in 0..<pause { #expect(!mustTrim(29, 3)) }
            #expect(mustTrim(29, 3))
        }
        // Nothing is free.
        policy.trimmed(from: 29 * mebibyte, to: 13 * mebibyte, inUse: 3 * mebibyte)
        #expect([mustTrim(13, 4), mustTrim(13, 4)] == [false, false])
    }

    struct OptionRange: Sendable, CustomTestStringConvertible {
        var name: String
        var accepted: [String]
        /// Values, and the reasons with which they are refused.
        var refused: [(value: String, reason: String)]
        var testDescription: String { name }

        static func time(_ name: String, from low: String, _ below: String?) -> OptionRange {
            var refused = [
                ("1000001h", "a duration is at most 1000000h"),
                ("99999999999999h", "a duration is at most 1000000h"),
                ("-1s", "a duration cannot be negative"),
                ("5", "a duration is a number with a unit, such as 500ms, 1.5s or 1h30m"),
            ]
            if let below { refused.append((below, "it must be at least \(low)")) }
            return OptionRange(
                name: name, accepted: [low, "1000000h", "447h", "596h", "894h"], refused: refused)
        }

        static func count(_ name: String, _ range: ClosedRange<Int>) -> OptionRange {
            let values = [
                "\(range.lowerBound - 1)", "-5", "\(range.upperBound + 1)", "99999999999999999999999", "x",
                "1.5",
            ]
            let reason = "it must be a number from \(range.lowerBound) to \(range.upperBound)"
            return OptionRange(
                name: name, accepted: ["\(range.lowerBound)", "\(range.upperBound)"],
                refused: values.map { ($0, reason) })
        }
    }

    static let options: [OptionRange] = [
        .count("--port", 0...65535),
        .count("--max-message-size", 1...4_294_967_295),
        .count("--max-header-list-size", 512...2_147_483_647),
        .count("--max-concurrent-streams", 1...2_147_483_647),
        .count("--max-connections", 1...2_147_483_647),
        .count("--max-connections-per-peer", 1...2_147_483_647),
        .count("--max-new-connections-per-peer", 10...2_147_483_647),
        .count("--max-calls-per-caller", 1...2_147_483_647),
        .count("--max-refused-calls", 1...2_147_483_647),
        .count("--max-overhead-frames", 10...2_147_483_647),
        .count("--max-resets", 0...2_147_483_647),
        .count("--max-decompression-excess", 0...4_294_967_295),
        .time("--drain-delay", from: "0s", nil),
        .time("--drain-timeout", from: "0s", nil),
        .time("--handshake-timeout", from: "1ms", "0s"),
        .time("--write-timeout", from: "1s", "999ms"),
        .time("--keepalive-time", from: "1s", "0s"),
        .time("--keepalive-timeout", from: "1ms", "0s"),
        .time("--min-ping-interval", from: "0s", nil),
        .time("--max-connection-idle", from: "1ms", "0.5ms"),
        .time("--max-connection-age", from: "1ms", "0s"),
        .time("--max-connection-age-grace", from: "0s", nil),
        OptionRange(
            name: "--socket-mode", accepted: ["0600", "660", "0777", "2"],
            refused: ["0", "0444", "1777", "9", "-1"].map {
                ($0, "it must be an octal number up to 777 that lets somebody write, such as 660")
            }),
    ]

    @Test(
        "audit-S3: an option accepts its whole range, and refuses other values with the range",
        arguments: options)
    func range(_ option: OptionRange) throws {
        for value in option.accepted { _ = try SumServerCommand.parse([option.name, value]) }
        for (value, reason) in option.refused {
            let (message, status) = Self.refusal(of: [option.name, value])
            #expect(message.hasPrefix("The value '\(value)' is invalid for '\(option.name) <"), "\(message)")
            #expect(message.hasSuffix(reason), "\(message)")
            #expect(status == 64)
        }
    }

    private static func refusal(of arguments: [String]) -> (message: String, status: Int32) {
        do {
            _ = try SumServerCommand.parse(arguments)
            return ("", 0)
        } catch {
            return (SumServerCommand.message(for: error), SumServerCommand.exitCode(for: error).rawValue)
        }
    }

    @Test("audit-S3: the table has every option that takes a number or a time")
    func isComplete() {
        let help = SumServerCommand.helpMessage(includeHidden: true)
        let names = help.matches(of: /(--[a-z-]+) <(?:n|bytes|duration|mode|port)>/).map { String($0.1) }
        #expect(Set(names) == Set(Self.options.map(\.name)))
    }
}
