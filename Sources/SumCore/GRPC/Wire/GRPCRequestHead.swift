/// The head of a request: the contents of its HTTP/2 headers (grpc/doc/PROTOCOL-HTTP2.md, "Requests").
///
/// Most requests of a client are alike. So what may differ from call to call is in the structure itself, and all else in
/// memory that copies share until one is changed.
struct GRPCRequestHead: Sendable {
    /// The time from the start of the call to its deadline; nil if there is none.
    var timeout: Duration?
    /// The number of earlier attempts (`grpc-previous-rpc-attempts`, grpc/proposal A6).
    var previousAttempts = 0
    private var shared: Shared<Values>

    private struct Values: Equatable, Sendable {
        var path: String
        var scheme: String
        var authority: String
        var userAgent: String
        var compression: GRPCCompression
        var acceptEncoding: String
        var metadata: GRPCMetadata
        var bearerToken: BearerToken?
        var sendsTokenToLoopback = false
    }

    private var values: Values {
        get { shared.value }
        set { shared = Shared(newValue) }
    }

    init(
        path: String, scheme: String = "http", authority: String = "", timeout: Duration? = nil,
        userAgent: String = "", compression: GRPCCompression = .identity,
        acceptEncoding: String = GRPCCompression.acceptEncoding, metadata: GRPCMetadata = GRPCMetadata(),
        bearerToken: BearerToken? = nil, sendsTokenToLoopback: Bool = false
    ) {
        self.timeout = timeout
        shared = Shared(
            Values(
                path: path, scheme: scheme, authority: authority, userAgent: userAgent,
                compression: compression, acceptEncoding: acceptEncoding, metadata: metadata,
                bearerToken: bearerToken, sendsTokenToLoopback: sendsTokenToLoopback))
    }

    /// `/package.Service/Method`.
    var path: String { shared.value.path }
    /// `http`, or `https` over TLS.
    var scheme: String { shared.value.scheme }
    /// The client's name for the server (`:authority`), for a proxy or a virtual host.
    var authority: String { shared.value.authority }
    var userAgent: String { shared.value.userAgent }
    /// The compression of request messages (`grpc-encoding`).
    var compression: GRPCCompression { shared.value.compression }
    /// The client's `grpc-accept-encoding`.
    var acceptEncoding: String { shared.value.acceptEncoding }

    var metadata: GRPCMetadata {
        get { shared.value.metadata }
        set { values.metadata = newValue }
    }

    /// Sent as `authorization`, over private connections only.
    var bearerToken: BearerToken? {
        get { shared.value.bearerToken }
        set { values.bearerToken = newValue }
    }

    /// Whether the token is also sent in clear text to a loopback address.
    var sendsTokenToLoopback: Bool {
        get { shared.value.sendsTokenToLoopback }
        set { values.sendsTokenToLoopback = newValue }
    }

    /// The header fields in gRPC's order: pseudo-headers, timeout, call definition, custom metadata.
    func fields() -> [HTTP2Field] {
        var fields = [
            HTTP2Field(":method", "POST"), HTTP2Field(":scheme", scheme), HTTP2Field(":path", path),
            HTTP2Field(":authority", authority),
        ]
        if let timeout {
            fields.append(HTTP2Field("grpc-timeout", GRPCTimeout.encode(timeout)))
        }
        fields += [
            HTTP2Field("te", "trailers"), HTTP2Field("content-type", GRPCContentType.standard),
            HTTP2Field("user-agent", userAgent),
            HTTP2Field("grpc-accept-encoding", acceptEncoding),
        ]
        if compression != .identity {
            fields.append(HTTP2Field("grpc-encoding", compression.rawValue))
        }
        if previousAttempts > 0 {
            fields.append(HTTP2Field("grpc-previous-rpc-attempts", "\(previousAttempts)"))
        }
        if let bearerToken { fields.append(HTTP2Field("authorization", "Bearer \(bearerToken.text)")) }
        return fields.adding(metadata)
    }
}

extension GRPCRequestHead: Equatable {
    static func == (left: GRPCRequestHead, right: GRPCRequestHead) -> Bool {
        left.timeout == right.timeout && left.previousAttempts == right.previousAttempts
            && (left.shared === right.shared || left.shared.value == right.shared.value)
    }
}

extension GRPCRequestHead {
    /// The response to a request that is not a valid call.
    struct Rejection: Error, Equatable {
        /// The HTTP status, for clients that do not speak gRPC.
        var httpStatus = 200
        var status: GRPCStatus
        /// Additional headers that tell the client what would be accepted.
        var fields: [HTTP2Field] = []

        init(_ code: GRPCStatus.Code, _ message: String, httpStatus: Int = 200, fields: [HTTP2Field] = []) {
            self.httpStatus = httpStatus
            self.status = GRPCStatus(code: code, message: message)
            self.fields = fields
        }

        /// The status with which an interceptor has refused the call.
        init(_ status: GRPCStatus) {
            self.status = status
        }
    }

    /// Parses and checks the headers of a request. Where gRPC's documents leave a choice, this follows grpc-go.
    init(received fields: [HTTP2Field]) throws(Rejection) {
        let method = fields.first(":method") ?? ""
        guard method == "POST" else {
            throw Rejection(
                .internalError, "a gRPC call is a POST, not '\(method.escapedForDisplay)'", httpStatus: 405,
                fields: [HTTP2Field("allow", "POST")])
        }
        let contentType = fields.first("content-type") ?? ""
        guard GRPCContentType.isGRPC(contentType) else {
            throw Rejection(
                .internalError,
                "the content-type is not application/grpc: '\(contentType.escapedForDisplay)'",
                httpStatus: 415)
        }
        guard GRPCContentType.isProtobuf(contentType) else {
            throw Rejection(
                .unimplemented,
                "only protobuf messages are supported, not '\(contentType.escapedForDisplay)'")
        }
        let encoding = fields.first("grpc-encoding") ?? GRPCCompression.identity.rawValue
        guard let compression = GRPCCompression(rawValue: encoding) else {
            let supported = GRPCCompression.acceptEncoding
            throw Rejection(
                .unimplemented,
                "the compression '\(encoding.escapedForDisplay)' is not supported, only \(supported)",
                fields: [HTTP2Field("grpc-accept-encoding", supported)])
        }
        let timeout = fields.first("grpc-timeout")
        self.init(
            path: fields.first(":path") ?? "", scheme: fields.first(":scheme") ?? "http",
            authority: fields.first(":authority") ?? fields.first("host") ?? "",
            timeout: timeout.flatMap(GRPCTimeout.decode), userAgent: fields.first("user-agent") ?? "",
            compression: compression,
            acceptEncoding: fields.first("grpc-accept-encoding") ?? "",
            metadata: GRPCMetadata(received: fields))
        if let timeout, self.timeout == nil {
            throw Rejection(
                .internalError, "malformed grpc-timeout: '\(timeout.escapedForDisplay)'", httpStatus: 400)
        }
        if let field = metadata.malformedBinaryField {
            throw Rejection(
                .internalError,
                "the metadata '\(field.key.escapedForDisplay)' is not base64: "
                    + "'\(field.value.escapedForDisplay)'",
                httpStatus: 400)
        }
    }
}
