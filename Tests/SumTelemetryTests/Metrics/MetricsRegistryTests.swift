import CoreMetrics
import SumTelemetry
import Testing

@Suite struct MetricsRegistryTests {
    private static let descriptions = [
        MetricDescription("size", .histogram(bounds: [0, 10, 100]), unit: "By", help: "Sizes."),
        MetricDescription("time", .histogram(bounds: [0.0003, 0.001, 1]), unit: "s", help: "Times."),
        MetricDescription("open", .upDownCounter, unit: "{thing}", help: "Open things."),
    ]

    private let registry = MetricsRegistry(descriptions: descriptions)

    private func value(_ name: String, _ attributes: [(String, String)] = []) -> MetricsSnapshot.Value? {
        let attributes = attributes.map { MetricsSnapshot.Attribute($0.0, $0.1) }
        return registry.snapshot().metrics.first { $0.name == name }?.points
            .first { $0.attributes == attributes }?.value
    }

    @Test("Counts of many threads add up exactly")
    func concurrentCounts() async {
        let (tasks, rounds) = (16, 20_000)
        let counter = Counter(label: "c", factory: registry)
        let recorder = Recorder(label: "size", factory: registry)
        await withTaskGroup { group in
            for task in 0..<tasks {
                group.addTask {
                    for round in 0..<rounds {
                        counter.increment(by: task)
                        recorder.record(round % 200)
                    }
                }
            }
        }
        let sum = Int64(rounds * (0..<tasks).reduce(0, +))
        #expect(value("c") == .integer(sum))
        let each = UInt64(tasks * rounds / 200)
        #expect(
            value("size")
                == .histogram(
                    counts: [each, 10 * each, 90 * each, 99 * each],
                    sum: Double(each) * Double((0..<200).reduce(0, +))))
    }

    @Test("Counters, read while many threads count, never fall")
    func monotonic() async {
        let counter = Counter(label: "c", factory: registry)
        let writers = Task {
            await withTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask { for _ in 0..<50_000 { counter.increment() } }
                }
            }
        }
        var last: Int64 = 0
        for _ in 0..<1000 {
            guard case .integer(let now)? = value("c") else { continue }
            #expect(now >= last)
            last = now
        }
        await writers.value
        #expect(value("c") == .integer(200_000))
    }

    @Test("A value that is a bound belongs to its bucket; durations count to the nanosecond")
    func bounds() {
        let timer = Timer(label: "time", factory: registry)
        for nanoseconds in [-5, 0, 300_000, 300_001, 1_000_000, 1_000_001, 1_000_000_000, 1_000_000_001] {
            timer.recordNanoseconds(Int64(nanoseconds))
        }
        #expect(value("time") == .histogram(counts: [3, 2, 2, 1], sum: 2.002600003))
        let recorder = Recorder(label: "size", factory: registry)
        for size in [-1.0, 0, 0.5, 10, 100, 100.5, .nan, .infinity] { recorder.record(size) }
        #expect(value("size") == .histogram(counts: [2, 2, 1, 1], sum: 210))
    }

    @Test("Sums of durations go beyond 64 bits of nanoseconds")
    func longSums() {
        let timer = Timer(label: "time", factory: registry)
        for _ in 0..<4 { timer.recordNanoseconds(Int64.max) }
        #expect(
            value("time") == .histogram(counts: [0, 0, 0, 4], sum: Double(4 * UInt128(Int64.max)) / 1e9))
    }

    @Test("The same label and dimensions, in any order, are one series")
    func identity() {
        let one = registry.makeCounter(label: "c", dimensions: [("a", "1"), ("b", "2")])
        let other = registry.makeCounter(label: "c", dimensions: [("b", "2"), ("a", "1")])
        #expect(one === other)
        #expect(registry.makeCounter(label: "c", dimensions: [("a", "1")]) !== one)
        #expect(
            registry.makeTimer(label: "t", dimensions: []) === registry.makeTimer(label: "t", dimensions: []))
        one.increment(by: 2)
        other.increment(by: 3)
        #expect(value("c", [("a", "1"), ("b", "2")]) == .integer(5))
    }

    @Test("A label belongs to one kind of instrument")
    func oneKind() {
        Counter(label: "x", factory: registry).increment()
        Timer(label: "x", factory: registry).recordNanoseconds(1)
        Gauge(label: "x", factory: registry).record(7)
        #expect(value("x") == .integer(1))
        #expect(registry.snapshot().metrics.count == 1)
    }

    @Test("Meters grow and fall, gauges are set, counters never fall")
    func numbers() {
        let meter = Meter(label: "open", factory: registry)
        meter.increment()
        meter.increment()
        meter.decrement()
        #expect(value("open") == .integer(1))
        #expect(registry.snapshot().metrics.first?.kind == .upDownCounter)
        meter.set(2.5)
        #expect(value("open") == .double(2.5))
        Gauge(label: "g", factory: registry).record(-3)
        #expect(value("g") == .integer(-3))
        let fractions = FloatingPointCounter(label: "f", factory: registry)
        fractions.increment(by: 0.5)
        fractions.increment(by: 0.25)
        #expect(value("f") == .double(0.75))
        let counter = registry.makeCounter(label: "c", dimensions: [])
        counter.increment(by: 3)
        counter.increment(by: -2)
        #expect(value("c") == .integer(3))
    }

    @Test("Metrics without a description get bounds and a unit by their kind")
    func unknown() throws {
        Timer(label: "t", factory: registry).recordSeconds(1)
        Recorder(label: "r", factory: registry).record(1)
        let metrics = registry.snapshot().metrics
        #expect(metrics.map(\.name) == ["r", "t"])
        #expect(metrics.map(\.unit) == ["", "s"])
        #expect(metrics[1].kind == .histogram(bounds: HistogramBounds.latency))
        #expect(metrics.allSatisfy { !$0.help.isEmpty })
    }

    @Test("Beyond 2,000 series of a metric, further ones share one")
    func seriesLimit() throws {
        for index in 0..<2500 {
            Counter(label: "c", dimensions: [("i", "\(index)")], factory: registry).increment()
        }
        let points = try #require(registry.snapshot().metrics.first).points
        #expect(points.count == 2000)
        #expect(value("c", [("otel.metric.overflow", "true")]) == .integer(501))
    }

    @Test("What is destroyed is gone, and may come again from zero")
    func destroying() {
        let counter = Counter(label: "c", factory: registry)
        counter.increment()
        counter.destroy()
        #expect(registry.snapshot().metrics.isEmpty)
        Counter(label: "c", factory: registry).increment()
        #expect(value("c") == .integer(1))
        // A second time, it is somebody else's.
        counter.destroy()
        #expect(value("c") == .integer(1))
    }

    @Test("Collectors add what is only known when it is asked for, such as the process's memory")
    func collectors() throws {
        let registry = MetricsRegistry(collectors: [ProcessMetrics.collect])
        let metrics = registry.snapshot().metrics
        #expect(
            metrics.map(\.name) == [
                "process.cpu", "process.max_fds", "process.open_fds", "process.resident_memory",
                "process.start_time", "process.threads", "process.virtual_memory",
            ])
        for metric in metrics {
            switch try #require(metric.points.first).value {
            case .integer(let value): #expect(value > 0, "\(metric.name)")
            case .double(let value): #expect(value > 0, "\(metric.name)")
            case .histogram: Issue.record("\(metric.name)")
            }
        }
        let snapshot = registry.snapshot()
        #expect(snapshot.startTime > 1_500_000_000 * 1_000_000_000 && snapshot.time >= snapshot.startTime)
    }
}
