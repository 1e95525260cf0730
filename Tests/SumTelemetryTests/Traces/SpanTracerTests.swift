import SumCore
import Testing
import Tracing

@testable import SumTelemetry

@Suite struct SpanTracerTests {
    private struct Instant: TracerInstant {
        var nanosecondsSinceEpoch: UInt64
        static func < (left: Instant, right: Instant) -> Bool {
            left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
        }
    }

    /// Keys and values in order, of which a key may come several times.
    private struct Carrier: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
            carrier[key] = value
        }
    }

    private let spans = CollectedSpans()
    private let trace = "0af7651916cd43dd8448eb211c80319c"
    private let parent = "b7ad6b7169203331"

    private func tracer(_ sampler: TraceSampler = .default) -> SpanTracer { SpanTracer(sampler, sink: spans) }

    private func extract(_ carrier: [String: String]) -> InstrumentationContext {
        var context = InstrumentationContext.topLevel
        tracer().extract(carrier, into: &context, using: Carrier())
        return context
    }

    private func inject(_ context: InstrumentationContext) -> [String: String] {
        var carrier: [String: String] = [:]
        tracer().inject(context, into: &carrier, using: Carrier())
        return carrier
    }

    // MARK: Spans

    @Test("A span that has ended is handed on with all it was given, once")
    func everything() throws {
        let span = tracer().startSpan(
            "first", context: .topLevel, ofKind: .server, at: Instant(nanosecondsSinceEpoch: 5))
        #expect(span.isRecording)
        span.operationName = "name"
        span.updateAttributes { attributes in
            attributes["text"] = "x"
            attributes["number"] = 3
            attributes["half"] = 0.5
            attributes["yes"] = true
            attributes["list"] = [1, 2]
        }
        span.addEvent(
            SpanEvent(name: "event", at: Instant(nanosecondsSinceEpoch: 6), attributes: ["b": 2, "a": 1]))
        span.setStatus(SpanStatus(code: .error, message: "UNAVAILABLE, gone"))
        span.end(at: Instant(nanosecondsSinceEpoch: 9))
        span.operationName = "too late"
        span.setStatus(SpanStatus(code: .ok))
        span.end(at: Instant(nanosecondsSinceEpoch: 10))
        #expect(!span.isRecording)
        #expect(spans.all.count == 1)
        let finished = try #require(spans.all.first)
        #expect(finished.name == "name")
        #expect(finished.kind == .server)
        #expect(finished.parent == nil)
        #expect(finished.flags == 1)
        #expect([finished.startTime, finished.endTime] == [5, 9])
        #expect(
            finished.attributes == [
                .init("half", .double(0.5)), .init("list", .string("[1, 2]")), .init("number", .integer(3)),
                .init("text", .string("x")), .init("yes", .boolean(true)),
            ])
        #expect(
            finished.events == [
                .init("event", time: 6, attributes: [.init("a", .integer(1)), .init("b", .integer(2))])
            ])
        #expect(finished.status == .error(message: "UNAVAILABLE, gone"))
        #expect(finished.traceID.count == 16 && finished.traceID.contains { $0 != 0 })
        #expect(finished.spanID.count == 8 && finished.spanID.contains { $0 != 0 })
    }

    @Test("A child has its parent's trace, flags and state, and an id of its own")
    func child() throws {
        let context = extract(["traceparent": "00-\(trace)-\(parent)-03", "tracestate": "a=1"])
        let span = tracer().startSpan("outer", context: context, ofKind: .server)
        tracer().startSpan("inner", context: span.context).end()
        span.end()
        let (inner, outer) = (try #require(spans.all.first), try #require(spans.all.last))
        #expect(outer.traceID == inner.traceID)
        #expect(outer.traceID.first == 0x0a && outer.traceID.last == 0x9c)
        #expect(
            outer.parent == .init(spanID: [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31], isRemote: true))
        #expect(inner.parent == .init(spanID: outer.spanID, isRemote: false))
        #expect([outer.flags, inner.flags] == [3, 3])
        #expect([outer.traceState, inner.traceState] == ["a=1", "a=1"])
        #expect(outer.kind == .server)
        #expect(inner.kind == .internal)
    }

    @Test("Beyond 128, events and attributes are counted alone")
    func limits() throws {
        let span = tracer().startSpan("x", context: .topLevel)
        for number in 0..<130 { span.addEvent(SpanEvent(name: "\(number)")) }
        span.updateAttributes { attributes in
            for number in 0..<140 { attributes["\(number)"] = number }
        }
        span.end()
        let finished = try #require(spans.all.first)
        #expect([finished.events.count, finished.droppedEvents] == [128, 2])
        #expect([finished.attributes.count, finished.droppedAttributes] == [128, 12])
    }

    @Test("An error is an event")
    func error() throws {
        struct Broken: Error {}
        let span = tracer().startSpan("x", context: .topLevel)
        span.recordError(Broken())
        span.end()
        let event = try #require(spans.all.first?.events.first)
        #expect(event.name == "exception")
        #expect(event.attributes.map(\.name) == ["exception.message", "exception.type"])
    }

    @Test("A span that is not recorded leaves nothing, and its context goes on")
    func unsampled() throws {
        let context = extract(["traceparent": "00-\(trace)-\(parent)-02"])
        let span = tracer().startSpan("x", context: context)
        #expect(!span.isRecording)
        span.addEvent("event")
        span.updateAttributes { $0["a"] = 1 }
        let child = tracer().startSpan("y", context: span.context)
        #expect(!child.isRecording)
        child.end()
        span.end()
        #expect(spans.all.isEmpty)
        let sent = try #require(inject(child.context)["traceparent"])
        #expect(sent.hasPrefix("00-\(trace)-") && sent.hasSuffix("-02"))
        #expect(!sent.contains(parent))
    }

    // MARK: Propagation

    @Test("What was extracted is injected, with the ids of the span in between")
    func roundTrip() throws {
        let context = extract(["traceparent": "00-\(trace)-\(parent)-01", "tracestate": " a=1 ,, b@c=2,"])
        #expect(context.span?.isRemote == true)
        let span = tracer().startSpan("x", context: context)
        let carrier = inject(span.context)
        let sent = try #require(carrier["traceparent"].flatMap { TraceContext(traceparent: $0) })
        #expect(sent.traceIDText == trace)
        #expect(sent.spanIDText != parent)
        #expect(sent.isSampled)
        #expect(carrier["tracestate"] == "a=1,b@c=2")
        #expect(inject(.topLevel).isEmpty)
    }

    @Test(
        "A malformed traceparent is ignored, and the tracestate with it",
        arguments: ["", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x"])
    func malformed(_ traceparent: String) {
        let context = extract(["traceparent": traceparent, "tracestate": "a=1"])
        #expect(context.span == nil)
        #expect(context.isEmpty)
    }

    @Test("Without a traceparent, a tracestate means nothing")
    func stateAlone() {
        #expect(extract(["tracestate": "a=1"]).span == nil)
    }

    @Test(
        "A tracestate is passed on if it is valid",
        arguments: [
            ("a=1", "a=1"), ("a=1,b=2", "a=1,b=2"), ("a=1 , b=2\t", "a=1,b=2"), ("", ""), (",,", ""),
            ("0a_-*/@s=x y~", "0a_-*/@s=x y~"), ("a", ""), ("=1", ""), ("a=", ""), ("A=1", ""),
            ("a=1,a=2", ""),
            ("a@b@c=1", ""), ("a=é", ""), ("a=b=c", ""), ("@a=1", ""),
            (
                (0..<32).map { "k\($0)=v" }.joined(separator: ","),
                (0..<32).map { "k\($0)=v" }.joined(separator: ",")
            ),
            ((0..<33).map { "k\($0)=v" }.joined(separator: ","), ""),
            ("k=\(String(repeating: "v", count: 256))", "k=\(String(repeating: "v", count: 256))"),
            ("k=\(String(repeating: "v", count: 257))", ""),
        ])
    func traceState(_ text: String, _ expected: String) {
        #expect(TraceState.valid(text) == expected)
    }

    @Test("A process has the span of its environment for a parent")
    func environment() {
        func context(_ values: [String: String]) -> SpanContext? { SpanContext(environment: { values[$0] }) }
        let inherited = context(["TRACEPARENT": "00-\(trace)-\(parent)-01", "TRACESTATE": "a=1"])
        #expect(inherited?.trace.traceparent == "00-\(trace)-\(parent)-01")
        #expect(inherited?.state == "a=1")
        #expect(inherited?.isRemote == true)
        #expect(context(["TRACESTATE": "a=1"]) == nil)
        #expect(context(["TRACEPARENT": "00-\(trace)-\(parent)"]) == nil)
    }

    // MARK: Sampling

    @Test(
        "The sampler is chosen by OpenTelemetry's names",
        arguments: [
            (nil, nil, .default), ("", "", .default), ("always_on", nil, .alwaysOn()),
            ("always_off", nil, .alwaysOff()), ("parentbased_always_on", nil, .default),
            ("parentbased_always_off", nil, .alwaysOff(followingParent: true)),
            ("traceidratio", "0.25", .ratio(0.25)), ("traceidratio", nil, .ratio(1)),
            ("parentbased_traceidratio", "0", .ratio(0, followingParent: true)),
        ] as [(String?, String?, TraceSampler)])
    func sampler(_ name: String?, _ argument: String?, _ expected: TraceSampler) {
        let sampler = TraceSampler(named: name, argument: argument) { Issue.record("\($0)") }
        #expect(sampler == expected)
    }

    @Test(
        "A sampler or ratio that is not known is warned of, and ignored",
        arguments: [
            ("jaeger_remote", nil, .default), ("parentbased_", nil, .default), ("ALWAYS_ON", nil, .default),
            ("traceidratio", "2", .ratio(1)), ("traceidratio", "-0.1", .ratio(1)),
            ("traceidratio", "nan", .ratio(1)),
            ("traceidratio", "half", .ratio(1)),
        ] as [(String?, String?, TraceSampler)])
    func unknown(_ name: String?, _ argument: String?, _ expected: TraceSampler) {
        var warnings: [String] = []
        let sampler = TraceSampler(named: name, argument: argument) { warnings.append($0) }
        #expect(sampler == expected)
        #expect(warnings.count == 1)
    }

    @Test("A sampler decides by its parent, by its rule, or by the trace's id")
    func decisions() {
        let sampled = SpanContext(TraceContext(traceID: 1, spanID: 1, flags: 1))
        let unsampled = SpanContext(TraceContext(traceID: 1, spanID: 1, flags: 0))
        func decisions(_ sampler: TraceSampler) -> [Bool] {
            [nil, sampled, unsampled].map { sampler.samples(1, under: $0) }
        }
        #expect(decisions(.default) == [true, true, false])
        #expect(decisions(.alwaysOn()) == [true, true, true])
        #expect(decisions(.alwaysOff()) == [false, false, false])
        #expect(decisions(.alwaysOff(followingParent: true)) == [false, true, false])
        #expect(decisions(.ratio(0.5)) == [true, true, true])
        #expect(decisions(.ratio(0)) == [false, false, false])
        let half = TraceSampler.ratio(0.5)
        #expect(half.samples(0x7fff_ffff_ffff_ffff, under: nil))
        #expect(!half.samples(0x8000_0000_0000_0000, under: nil))
        #expect(half.samples(0xffff_ffff_ffff_ffff_0000_0000_0000_0000, under: nil))
        #expect(TraceSampler.ratio(1).samples(.max, under: nil))
    }

    @Test("A fraction of the traces is recorded")
    func fraction() {
        let ids = SpanIDs()
        let sampler = TraceSampler.ratio(0.1)
        let count = (0..<10_000).count { _ in sampler.samples(ids.traceID(), under: nil) }
        // 1000 are expected; the deviation is 30.
        #expect((700...1300).contains(count))
    }

    @Test("Ids differ, from thread to thread too")
    func ids() async {
        let ids = SpanIDs()
        let (traces, spans) = await withTaskGroup(of: ([UInt128], [UInt64]).self) { group in
            for _ in 0..<4 {
                group.addTask {
                    ((0..<1000).map { _ in ids.traceID() }, (0..<1000).map { _ in ids.spanID() })
                }
            }
            var all: ([UInt128], [UInt64]) = ([], [])
            for await (traces, spans) in group { all = (all.0 + traces, all.1 + spans) }
            return all
        }
        #expect(Set(traces).count == 4000)
        #expect(Set(traces.map { $0 >> 64 }).count == 4000)
        #expect(Set(spans).count == 4000)
        #expect(!traces.contains(0) && !spans.contains(0))
        #expect(SpanIDs().traceID() != SpanIDs().traceID())
    }
}
