import SumCore
import Testing

@testable import SumTelemetry

extension FinishedSpan {
    /// A span that is told from others by its name.
    static func sample(_ name: String) -> FinishedSpan {
        FinishedSpan(
            traceID: Array(1...16), spanID: Array(1...8), name: name, kind: .server, startTime: 1, endTime: 2)
    }
}

/// A schedule with a clock that is moved by hand.
private struct World {
    private let start = ContinuousClock.now
    private(set) var seconds = 0.0
    var export: SpanExport

    init(delay: Int = 5, queue: Int = 4, batch: Int = 2) {
        var limits = OTLPSettings.SpanLimits()
        (limits.delay, limits.queueSize, limits.batchSize) = (.seconds(delay), queue, batch)
        export = SpanExport(limits)
    }

    var now: ContinuousClock.Instant { start + .seconds(seconds) }

    mutating func pass(_ time: Double) { seconds += time }

    /// - Returns: whether the schedule wants to be asked.
    mutating func add(_ names: String...) -> [Bool] {
        names.map { export.add(.sample($0), at: now) }
    }

    /// The names that are sent, when to ask again, `idle`, or `end`.
    mutating func next() -> String {
        switch export.next(at: now) {
        case .wait(nil): "idle"
        case .wait(let time?): "wait \(((time - now) / .milliseconds(100)).rounded() / 10)"
        case .send(let spans): "send \(spans.map(\.name).joined())"
        case .end: "end"
        }
    }

    mutating func ended(_ code: GRPCStatus.Code = .ok, rejected: Int64 = 0) {
        export.ended(
            code == .ok ? .answered(rejected: rejected, message: "") : .failed(GRPCStatus(code: code)),
            at: now)
    }

    mutating func close(within limit: Double) {
        export.close(at: now, by: now + .seconds(limit))
    }

    /// Exported, refused, dropped.
    var counts: [Int] { [export.counts.exported, export.counts.refused, export.counts.dropped] }
}

@Suite struct SpanExportTests {
    @Test("A span waits for others, but not forever")
    func delay() {
        var world = World()
        #expect(world.next() == "idle")
        #expect(world.add("a") == [true])
        #expect(world.next() == "wait 5.0")
        world.pass(4)
        #expect(world.next() == "wait 1.0")
        world.pass(1)
        #expect(world.next() == "send a")
        #expect(world.next() == "idle")
        world.ended()
        #expect(world.next() == "idle")
        #expect(world.counts == [1, 0, 0])
    }

    @Test("A full batch is exported at once, and the next waits for its answer")
    func batches() {
        var world = World()
        #expect(world.add("a", "b", "c", "d") == [true, true, false, false])
        #expect(world.next() == "send ab")
        #expect(world.add("e") == [false])
        #expect(world.next() == "idle")
        world.ended()
        #expect(world.next() == "send cd")
        world.ended()
        #expect(world.next() == "wait 5.0")
        world.pass(5)
        #expect(world.next() == "send e")
        world.ended()
        #expect(world.next() == "idle")
        #expect(world.counts == [5, 0, 0])
    }

    @Test("Spans that come during an export wait from their own beginning")
    func delayDuringExport() {
        var world = World()
        _ = world.add("a", "b")
        #expect(world.next() == "send ab")
        _ = world.add("c")
        world.pass(3)
        world.ended()
        #expect(world.next() == "wait 2.0")
    }

    @Test("When the queue is full, the oldest are dropped and counted")
    func overflow() {
        var world = World()
        _ = world.add("a", "b")
        #expect(world.next() == "send ab")
        _ = world.add("c", "d", "e", "f", "g", "h")
        world.ended()
        #expect(world.next() == "send ef")
        #expect(world.counts == [2, 0, 2])
    }

    @Test("A batch is tried until the collector takes it, after growing pauses")
    func retries() {
        var world = World()
        _ = world.add("a", "b")
        var pauses: [Double] = []
        for _ in 0..<12 {
            #expect(world.next() == "send ab")
            world.ended(.unavailable)
            let words = world.next()
            #expect(words.hasPrefix("wait "))
            let pause = Double(words.dropFirst(5)) ?? 0
            pauses.append(pause)
            world.pass(pause + 0.1)
        }
        #expect((0.8...1.2).contains(pauses[0]))
        #expect(pauses.allSatisfy { (0.8...36).contains($0) })
        #expect((24...36).contains(pauses[11]))
        #expect(world.next() == "send ab")
        world.ended()
        #expect(world.counts == [2, 0, 0])
        // The next failure begins with a short pause again.
        _ = world.add("c", "d")
        #expect(world.next() == "send cd")
        world.ended(.unavailable)
        #expect((0.8...1.2).contains(Double(world.next().dropFirst(5)) ?? 0))
    }

    @Test("What the collector refuses is not sent again")
    func refusals() {
        var world = World()
        _ = world.add("a", "b", "c", "d")
        #expect(world.next() == "send ab")
        world.ended(.invalidArgument)
        #expect(world.next() == "send cd")
        world.ended(rejected: 1)
        #expect(world.next() == "idle")
        #expect(world.counts == [1, 3, 0])
    }

    @Test("A collector cannot reject more than there is", arguments: [-1, 3, Int64.max, Int64.min])
    func absurdRejection(_ rejected: Int64) {
        var world = World()
        _ = world.add("a", "b")
        _ = world.next()
        world.ended(rejected: rejected)
        #expect(world.counts == (rejected < 0 ? [2, 0, 0] : [0, 2, 0]))
    }

    @Test("At the end, everything is exported at once, and nothing is lost")
    func close() {
        var world = World()
        _ = world.add("a")
        #expect(world.next() == "wait 5.0")
        world.close(within: 5)
        #expect(world.next() == "send a")
        _ = world.add("b")
        world.ended()
        #expect(world.next() == "send b")
        world.ended()
        #expect(world.next() == "end")
        #expect(world.add("c") == [false])
        #expect(world.next() == "end")
        #expect(world.counts == [2, 0, 1])
    }

    @Test("At the end, a pause is cut short, and attempts continue until the time is up")
    func closeDuringPause() {
        var world = World()
        _ = world.add("a", "b", "c")
        #expect(world.next() == "send ab")
        world.ended(.unavailable)
        #expect(world.next().hasPrefix("wait "))
        world.close(within: 5)
        #expect(world.next() == "send ab")
        world.pass(1)
        world.ended(.deadlineExceeded)
        #expect(world.next().hasPrefix("wait "))
        world.pass(1.3)
        #expect(world.next() == "send ab")
        world.pass(2.7)
        world.ended(.cancelled)
        #expect(world.next() == "end")
        #expect(world.counts == [0, 0, 3])
    }

    @Test("An export that is under way at the end counts")
    func closeDuringExport() {
        var world = World()
        _ = world.add("a", "b")
        #expect(world.next() == "send ab")
        world.close(within: 5)
        #expect(world.next() == "idle")
        world.ended()
        #expect(world.next() == "end")
        #expect(world.counts == [2, 0, 0])
    }

    @Test("Without spans, the end comes at once")
    func closeWithoutSpans() {
        var world = World()
        world.close(within: 5)
        #expect(world.next() == "end")
    }
}
