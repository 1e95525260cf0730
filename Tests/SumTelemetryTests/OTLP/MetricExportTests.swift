import SumCore
import Testing

@testable import SumTelemetry

/// A schedule with a clock that is moved by hand.
private struct World {
    private let start = ContinuousClock.now
    private var seconds = 0.0
    private var export: MetricExport

    init() {
        export = MetricExport(every: .seconds(60), from: start)
    }

    private var now: ContinuousClock.Instant { start + .seconds(seconds) }

    mutating func pass(_ time: Double) { seconds += time }

    mutating func next() -> String {
        switch export.next(at: now) {
        case .wait(nil): "idle"
        case .wait(let time?): "wait \(((time - now) / .milliseconds(100)).rounded() / 10)"
        case .send: "send"
        case .end: "end"
        }
    }

    mutating func ended(_ code: GRPCStatus.Code = .ok, details: [UInt8] = []) {
        export.ended(
            code == .ok
                ? .answered(rejected: 0, message: "")
                : .failed(GRPCStatus(code: code, message: "", details: details)), at: now)
    }

    mutating func close(within limit: Double) {
        export.close(at: now, by: now + .seconds(limit))
    }
}

@Suite struct MetricExportTests {
    @Test("Metrics are exported at intervals, however long an export takes")
    func intervals() {
        var world = World()
        #expect(world.next() == "wait 60.0")
        world.pass(60)
        #expect(world.next() == "send")
        #expect(world.next() == "idle")
        world.pass(3)
        world.ended()
        #expect(world.next() == "wait 57.0")
        world.pass(57)
        #expect(world.next() == "send")
    }

    @Test("Intervals that were missed are not made up for")
    func missed() {
        var world = World()
        world.pass(1000)
        #expect(world.next() == "send")
        world.ended()
        #expect(world.next() == "send")
        world.ended()
        #expect(world.next() == "wait 60.0")
    }

    @Test("After a failure that may pass, there is another attempt; after a refusal, the next interval")
    func failures() {
        var world = World()
        world.pass(60)
        #expect(world.next() == "send")
        world.ended(.unavailable)
        #expect((0.8...1.2).contains(Double(world.next().dropFirst(5)) ?? 0))
        world.pass(2)
        #expect(world.next() == "send")
        world.ended(.unimplemented)
        #expect(world.next() == "wait 58.0")
    }

    @Test("At the end, metrics are exported a last time")
    func close() {
        var world = World()
        world.pass(1)
        world.close(within: 5)
        #expect(world.next() == "send")
        world.ended()
        #expect(world.next() == "end")
    }

    @Test(
        "An export that began before the end is not the last", arguments: [.ok, GRPCStatus.Code.unavailable])
    func closeDuringExport(_ code: GRPCStatus.Code) {
        var world = World()
        world.pass(60)
        #expect(world.next() == "send")
        world.close(within: 5)
        #expect(world.next() == "idle")
        world.ended(code)
        #expect(world.next() == "send")
        world.ended()
        #expect(world.next() == "end")
    }

    @Test("The last export is tried until the time is up")
    func lastFails() {
        var world = World()
        world.close(within: 5)
        #expect(world.next() == "send")
        world.pass(1)
        world.ended(.unavailable)
        #expect(world.next().hasPrefix("wait "))
        world.pass(1.3)
        #expect(world.next() == "send")
        world.pass(2.7)
        world.ended(.cancelled)
        #expect(world.next() == "end")
    }

    @Test("A refusal of the last export is the end")
    func lastRefused() {
        var world = World()
        world.close(within: 5)
        #expect(world.next() == "send")
        world.ended(.unauthenticated)
        #expect(world.next() == "end")
    }
}
