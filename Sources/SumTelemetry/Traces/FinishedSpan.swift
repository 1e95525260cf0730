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
    /// What the span is of, such as `Recv.tutorial.NumberService/SumNumbers`.
    public var name: String
    /// Which side of what it is.
    public var kind: Kind
    /// Nanoseconds since 1970.
    public var startTime: UInt64
    /// Nanoseconds since 1970.
    public var endTime: UInt64
    /// What is known of it.
    public var attributes: [Attribute]
    /// Attributes beyond the limit, which are not exported.
    public var droppedAttributes: Int
    /// What happened in it.
    public var events: [Event]
    /// Events beyond the limit, which are not exported.
    public var droppedEvents: Int
    /// How it ended.
    public var status: Status

    /// Creates a span.
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

    /// The span above another.
    public struct Parent: Hashable, Sendable {
        /// 8 bytes, not all zero.
        public var spanID: [UInt8]
        /// Whether it belongs to another process.
        public var isRemote: Bool

        /// Creates a parent.
        public init(spanID: [UInt8], isRemote: Bool) {
            self.spanID = spanID
            self.isRemote = isRemote
        }
    }

    /// Which side of an operation a span is.
    public enum Kind: Hashable, Sendable {
        /// Work within the process.
        case `internal`
        /// A request that is served.
        case server
        /// A request that is made.
        case client
        /// A message that is sent, and handled later.
        case producer
        /// Such a message being handled.
        case consumer
    }

    /// How an operation ended.
    public enum Status: Hashable, Sendable {
        /// Nobody has said.
        case unset
        /// Well, as the program has said.
        case ok
        /// With an error.
        case error(message: String)
    }

    /// A fact about a span or an event.
    public struct Attribute: Hashable, Sendable {
        /// The name of the fact.
        public var name: String
        /// What it is.
        public var value: Value

        /// Creates a fact.
        public init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }

        /// The value of an attribute.
        public enum Value: Hashable, Sendable {
            /// A text.
            case string(String)
            /// A whole number.
            case integer(Int64)
            /// A number with a fraction.
            case double(Double)
            /// True or false.
            case boolean(Bool)
        }
    }

    /// Something that happened at one moment of a span.
    public struct Event: Hashable, Sendable {
        /// What happened.
        public var name: String
        /// Nanoseconds since 1970.
        public var time: UInt64
        /// What is known of it.
        public var attributes: [Attribute]

        /// Creates an event.
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
