import SumCore
import Synchronization
import Tracing

/// What is recorded of a span until it ends.
final class SpanRecording: Sendable {
    /// Attributes and events of a span, as in OpenTelemetry's SDKs.
    private static let limit = 128

    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var events: [FinishedSpan.Event] = []
        var droppedEvents = 0
        var status = FinishedSpan.Status.unset
        var hasEnded = false
    }

    private let span: SpanContext
    private let parent: SpanContext?
    private let kind: SpanKind
    private let start: UInt64
    private let sink: any SpanSink
    private let state: Mutex<State>

    /// - Parameter start: nanoseconds since 1970.
    init(
        _ span: SpanContext, under parent: SpanContext?, _ name: String, _ kind: SpanKind, start: UInt64,
        sink: any SpanSink
    ) {
        self.span = span
        self.parent = parent
        self.kind = kind
        self.start = start
        self.sink = sink
        state = Mutex(State(name: name))
    }

    var isRecording: Bool { state.withLock { !$0.hasEnded } }

    var operationName: String {
        get { state.withLock { $0.name } }
        set { change { $0.name = newValue } }
    }

    var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { change { $0.attributes = newValue } }
    }

    func setStatus(_ status: SpanStatus) {
        change { state in
            switch status.code {
            case .ok: state.status = .ok
            case .error: state.status = .error(message: status.message ?? "")
            }
        }
    }

    func add(_ event: SpanEvent) {
        change { state in
            guard state.events.count < Self.limit else { return state.droppedEvents += 1 }
            state.events.append(
                FinishedSpan.Event(
                    event.name, time: event.nanosecondsSinceEpoch,
                    attributes: Self.list(event.attributes).kept))
        }
    }

    /// What comes after the end has no effect.
    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            if !state.hasEnded { body(&state) }
        }
    }

    /// - Parameter end: nanoseconds since 1970.
    func end(at end: UInt64) {
        let last = state.withLock { state -> State? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            return state
        }
        guard let last else { return }
        let (attributes, dropped) = Self.list(last.attributes)
        sink.record(
            FinishedSpan(
                traceID: Self.bytes(span.trace.traceID), spanID: Self.bytes(span.trace.spanID),
                parent: parent.map { .init(spanID: Self.bytes($0.trace.spanID), isRemote: $0.isRemote) },
                flags: span.trace.flags, traceState: span.state, name: last.name, kind: finishedKind,
                startTime: start, endTime: max(start, end), attributes: attributes,
                droppedAttributes: dropped,
                events: last.events, droppedEvents: last.droppedEvents, status: last.status))
    }

    private var finishedKind: FinishedSpan.Kind {
        switch kind {
        case .server: .server
        case .client: .client
        case .producer: .producer
        case .consumer: .consumer
        default: .internal
        }
    }

    private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    /// Attributes sorted by their names.
    private static func list(_ attributes: SpanAttributes) -> (kept: [FinishedSpan.Attribute], dropped: Int) {
        var list: [FinishedSpan.Attribute] = []
        attributes.forEach { name, value in list.append(FinishedSpan.Attribute(name, Self.value(value))) }
        list.sort { $0.name < $1.name }
        return (Array(list.prefix(limit)), max(0, list.count - limit))
    }

    private static func value(_ value: SpanAttribute) -> FinishedSpan.Attribute.Value {
        switch value {
        case .int32(let number): .integer(Int64(number))
        case .int64(let number): .integer(number)
        case .double(let number): .double(number)
        case .bool(let value): .boolean(value)
        case .string(let text): .string(text)
        case .stringConvertible(let value): .string("\(value)")
        case .int32Array(let list): .string("\(list)")
        case .int64Array(let list): .string("\(list)")
        case .doubleArray(let list): .string("\(list)")
        case .boolArray(let list): .string("\(list)")
        case .stringArray(let list): .string("\(list)")
        case .stringConvertibleArray(let list): .string("\(list)")
        default: .string("\(value)")
        }
    }
}
