/// A span that has ended, as it is exported (opentelemetry-proto, `trace.proto`).
public struct FinishedSpan: Sendable {
    /// 16 bytes, not all zero.
    public var traceID: [UInt8]
    /// 8 bytes, not all zero.
    public var spanID: [UInt8]
    /// The span's parent; nil for the first span of a trace.
    public var parent: Parent?
    /// The flags of W3C Trace Context; bit 0 says that the trace is sampled.
    public var flags: UInt8
    /// The `tracestate` that came with the parent; empty for none.
    public var traceState: String
    public var name: String
    public var kind: Kind
    /// Nanoseconds since 1970.
    public var startTime: UInt64
    /// Nanoseconds since 1970.
    public var endTime: UInt64
    public var attributes: [Attribute]
    /// Attributes beyond the limit, which are not exported.
    public var droppedAttributes: Int
    public var events: [Event]
    /// Events beyond the limit, which are not exported.
    public var droppedEvents: Int
    public var status: Status

    public init(
        traceID: [UInt8], spanID: [UInt8], parent: Parent? = nil, flags: UInt8 = 1, traceState: String = "",
        name: String, kind: Kind, startTime: UInt64, endTime: UInt64, attributes: [Attribute] = [],
        droppedAttributes: Int = 0, events: [Event] = [], droppedEvents: Int = 0, status: Status = .unset
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.parent = parent
        self.flags = flags
        self.traceState = traceState
        self.name = name
        self.kind = kind
        self.startTime = startTime
        self.endTime = endTime
        self.attributes = attributes
        self.droppedAttributes = droppedAttributes
        self.events = events
        self.droppedEvents = droppedEvents
        self.status = status
    }

    public struct Parent: Hashable, Sendable {
        /// 8 bytes, not all zero.
        public var spanID: [UInt8]
        /// Whether it belongs to another process.
        public var isRemote: Bool

        public init(spanID: [UInt8], isRemote: Bool) {
            self.spanID = spanID
            self.isRemote = isRemote
        }
    }

    public enum Kind: Hashable, Sendable {
        case `internal`, server, client, producer, consumer
    }

    public enum Status: Hashable, Sendable {
        case unset, ok
        case error(message: String)
    }

    public struct Attribute: Hashable, Sendable {
        public var name: String
        public var value: Value

        public init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }

        public enum Value: Hashable, Sendable {
            case string(String)
            case integer(Int64)
            case double(Double)
            case boolean(Bool)
        }
    }

    public struct Event: Hashable, Sendable {
        public var name: String
        /// Nanoseconds since 1970.
        public var time: UInt64
        public var attributes: [Attribute]

        public init(_ name: String, time: UInt64, attributes: [Attribute] = []) {
            self.name = name
            self.time = time
            self.attributes = attributes
        }
    }
}

/// Takes spans that have ended, such as the queue of an exporter.
public protocol SpanSink: Sendable {
    /// Takes a span. May be called on any thread, event loops among them, and must not block.
    func record(_ span: FinishedSpan)
}
