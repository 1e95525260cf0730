internal import FoundationEssentials
internal import OTLPMessages
internal import SwiftProtobuf

extension Opentelemetry_Proto_Trace_V1_Span {
    init(_ span: FinishedSpan) {
        self.init()
        traceID = Data(span.traceID)
        spanID = Data(span.spanID)
        traceState = span.traceState
        parentSpanID = Data(span.parent?.spanID ?? [])
        // The low byte has the flags of W3C; two more bits say that it is known whether the parent is remote, and whether
        // it is.
        flags = UInt32(span.flags) | 0x100 | (span.parent?.isRemote == true ? 0x200 : 0)
        name = span.name
        kind = Self.kind(span.kind)
        startTimeUnixNano = span.startTime
        endTimeUnixNano = span.endTime
        attributes = span.attributes.map { .init($0) }
        droppedAttributesCount = UInt32(clamping: span.droppedAttributes)
        events = span.events.map { event in
            .with {
                $0.timeUnixNano = event.time
                $0.name = event.name
                $0.attributes = event.attributes.map { .init($0) }
            }
        }
        droppedEventsCount = UInt32(clamping: span.droppedEvents)
        switch span.status {
        case .unset: break
        case .ok: status.code = .ok
        case .error(let message): (status.code, status.message) = (.error, message)
        }
    }

    private static func kind(_ kind: FinishedSpan.Kind) -> SpanKind {
        switch kind {
        case .internal: .internal
        case .server: .server
        case .client: .client
        case .producer: .producer
        case .consumer: .consumer
        }
    }
}
