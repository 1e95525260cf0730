/// A page of an operator's listener: what is at a path.
public struct OperatorPage: Sendable {
    /// Such as `/metrics`.
    public var path: String
    /// Makes the answer to a GET. Called on the listener's own thread, where it may take its time.
    public var respond: @Sendable (Request) -> Response

    /// Creates a page.
    public init(_ path: String, respond: @escaping @Sendable (Request) -> Response) {
        self.path = path
        self.respond = respond
    }

    /// What a page may want to know of a request.
    public struct Request: Sendable {
        /// The values of `Accept`, joined by commas; empty if there are none.
        public var accept: String

        /// Creates a request, for tests.
        public init(accept: String = "") {
            self.accept = accept
        }
    }

    /// An answer. Length, compression and caching are the listener's business.
    public struct Response: Sendable {
        /// The status code of HTTP.
        public var status: Int
        /// The type of the body, as in `Content-Type`.
        public var contentType: String
        /// Further header fields, such as `Content-Security-Policy`.
        public var headers: [(name: String, value: String)]
        /// The text of the answer.
        public var body: String

        /// Creates an answer.
        public init(
            status: Int = 200, contentType: String = "text/plain; charset=utf-8",
            headers: [(name: String, value: String)] = [], _ body: String
        ) {
            self.status = status
            self.contentType = contentType
            self.headers = headers
            self.body = body
        }
    }
}

extension OperatorPage {
    /// `/metrics`: all metrics, in the format of Prometheus that is asked for.
    ///
    /// - Parameters:
    ///   - registry: has the metrics.
    ///   - resource: the process; part of `target_info`.
    public static func metrics(_ registry: MetricsRegistry, resource: TelemetryResource) -> Self {
        Self("/metrics") { request in
            let format = PrometheusFormat(accept: request.accept)
            return Response(
                contentType: format.contentType, headers: [("Vary", "Accept")],
                PrometheusText(format, resource: resource).page(registry.snapshot()))
        }
    }

    /// `/healthz`: says that the process lives.
    public static let liveness = Self("/healthz") { _ in Response("ok\n") }

    /// `/readyz`: says whether the server should get new calls.
    public static func readiness(_ isReady: @escaping @Sendable () -> Bool) -> Self {
        Self("/readyz") { _ in
            isReady() ? Response("ready\n") : Response(status: 503, "not ready\n")
        }
    }
}
