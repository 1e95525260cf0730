import Testing

@testable import SumTelemetry

extension MetricsSnapshot {
    /// A server's metrics.
    ///
    /// - Parameter durations: how many calls were in each of the buckets up to 1 s, up to 2 s, and above.
    static func sample(
        at seconds: Double, numbers: Int64 = 0, calls: Int64 = 0, durations: [UInt64] = [0, 0, 0]
    ) -> MetricsSnapshot {
        func counter(_ name: String, _ value: Int64) -> Metric {
            .init(
                name: name, help: "", unit: "", kind: .counter,
                points: [.init(attributes: [.init("grpc.method", "a/b")], value: .integer(value))])
        }
        return MetricsSnapshot(
            startTime: 1_000_000_000, time: UInt64(seconds * 1e9),
            metrics: [
                counter("sum.server.numbers", numbers), counter("grpc.server.call.started", calls),
                .init(
                    name: "grpc.server.call.duration", help: "", unit: "s", kind: .histogram(bounds: [1, 2]),
                    points: [
                        .init(
                            attributes: [.init("grpc.method", "a/b"), .init("grpc.status", "OK")],
                            value: .histogram(counts: durations, sum: 1))
                    ]),
            ])
    }
}

@Suite struct StatusHistoryTests {
    private static let kind = CallKind(method: "a/b", status: "OK")

    private static func history(_ snapshots: MetricsSnapshot...) -> StatusHistory {
        snapshots.reduce(into: StatusHistory()) { $0.add(.init($1)) }
    }

    @Test("Rates are differences by time")
    func rates() {
        let history = Self.history(
            .sample(at: 100, numbers: 10, calls: 1), .sample(at: 105, numbers: 60, calls: 1),
            .sample(at: 107, numbers: 60, calls: 2))
        #expect(
            history.rates(of: \.numbers)
                == [.init(age: 2, perSecond: 10), .init(age: 0, perSecond: 0)])
        #expect(history.rates(of: \.calls).map(\.perSecond) == [0, 0.5])
        #expect(StatusHistory().rates(of: \.numbers) == [])
        #expect(Self.history(.sample(at: 1)).rates(of: \.numbers) == [])
    }

    @Test("Five minutes are kept, however many samples come")
    func span() {
        var history = StatusHistory()
        for second in 0..<10_000 {
            history.add(.init(.sample(at: Double(second * 5), numbers: Int64(second))))
        }
        let rates = history.rates(of: \.numbers)
        #expect(rates.count == 61)
        #expect(rates.first?.age == 300)
        for tenth in 0..<10_000 { history.add(.init(.sample(at: 50_000 + Double(tenth) / 10))) }
        #expect(history.rates(of: \.numbers).count == 61)
        // A long pause, as of a machine that slept.
        history.add(.init(.sample(at: 1e6)))
        #expect(history.rates(of: \.numbers) == [])
    }

    @Test("A clock that is set back, or stands still, does no harm")
    func clock() {
        var history = Self.history(.sample(at: 100, numbers: 1), .sample(at: 105, numbers: 2))
        history.add(.init(.sample(at: 105, numbers: 12)))
        #expect(history.rates(of: \.numbers).map(\.perSecond) == [2.2])
        history.add(.init(.sample(at: 50, numbers: 20)))
        #expect(history.rates(of: \.numbers) == [])
        history.add(.init(.sample(at: 52, numbers: 24)))
        #expect(history.rates(of: \.numbers).map(\.perSecond) == [2])
    }

    @Test("The present moment counts if enough time has passed")
    func end() {
        var history = Self.history(.sample(at: 100), .sample(at: 105, numbers: 5))
        history.end(with: .init(.sample(at: 105.1, numbers: 50)))
        #expect(history.rates(of: \.numbers).map(\.perSecond) == [1])
        history.end(with: .init(.sample(at: 108, numbers: 8)))
        #expect(history.rates(of: \.numbers).map(\.perSecond) == [1, 1])
    }

    @Test("Calls of the last minutes are those that have ended since the first sample")
    func durations() {
        let history = Self.history(
            .sample(at: 100, durations: [5, 1, 0]), .sample(at: 105, durations: [7, 1, 0]))
        #expect(history.recentDurations(of: Self.kind, [9, 2, 1]) == [4, 1, 1])
        #expect(history.recentDurations(of: .init(method: "new", status: "OK"), [1, 2, 3]) == [1, 2, 3])
        #expect(StatusHistory().recentDurations(of: Self.kind, [1, 2, 3]) == [1, 2, 3])
    }

    @Test(
        "Percentiles are interpolated within their bucket",
        arguments: [
            ([10, 0, 0], 0.5, 0.5), ([10, 0, 0], 1, 1), ([0, 10, 0], 0.5, 1.5), ([5, 5, 0], 0.5, 1),
            ([5, 5, 0], 0.75, 1.5), ([1, 0, 9], 0.99, .infinity), ([0, 0, 0], 0.5, nil), ([], 0.5, nil),
        ] as [([UInt64], Double, Double?)])
    func percentiles(_ counts: [UInt64], share: Double, value: Double?) {
        #expect(Percentile.value(share, bounds: [1, 2], counts: counts) == value)
    }
}
