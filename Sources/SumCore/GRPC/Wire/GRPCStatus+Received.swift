// The status of a call, as derived from a server's response.

extension GRPCStatus {
    static let deadlineExceeded = GRPCStatus(code: .deadlineExceeded, message: "the deadline has passed")

    /// - Parameter activity: what the call was doing, such as "sending the request".
    static func deadlineExceeded(while activity: String) -> GRPCStatus {
        GRPCStatus(code: .deadlineExceeded, message: "the deadline has passed while \(activity)")
    }

    /// Parses the status in trailers; nil if there is none.
    init?(trailers fields: [HTTP2Field]) {
        guard let text = fields.first("grpc-status") else { return nil }
        if let other = fields.first(where: { $0.name == "grpc-status" && $0.value != text })?.value {
            self.init(
                code: .internalError, message: "the server sent the grpc-status '\(text)' and also '\(other)'"
            )
            return
        }
        let message = PercentEncoding.decode(fields.first("grpc-message") ?? "")
        // Int32 also accepts signs, and would read '-0' as OK.
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int32(text) {
            let details = fields.first("grpc-status-details-bin").flatMap { Base64.decode($0[...]) }
            self.init(code: .init(rawValue: Int(number)), message: message, details: details ?? [])
        } else {
            self.init(code: .unknown, message: "the server sent the grpc-status '\(text)': \(message)")
        }
    }

    /// Maps the HTTP status of a response that is not gRPC (grpc/doc/http-grpc-status-mapping.md).
    init(httpStatus: String, contentType: String) {
        let code: Code =
            switch httpStatus {
            case "400": .internalError
            case "401": .unauthenticated
            case "403": .permissionDenied
            case "404": .unimplemented
            case "429", "502", "503", "504": .unavailable
            default: .unknown
            }
        let type = contentType.isEmpty ? "no content-type" : "content-type '\(contentType)'"
        self.init(code: code, message: "the response is not gRPC: HTTP status \(httpStatus), \(type)")
    }

    /// Adds the body of a response that is not gRPC to the message.
    func quoting(_ text: [UInt8]) -> GRPCStatus {
        guard !text.isEmpty else { return self }
        let quote = String(decoding: text, as: UTF8.self).escapedForDisplay
        return GRPCStatus(code: code, message: "\(message): \"\(quote)\"")
    }
}

extension GRPCStatus.Code {
    /// Maps the code of a server's RST_STREAM (grpc/doc/PROTOCOL-HTTP2.md, "Errors").
    init(streamReset code: HTTP2ErrorCode) {
        self =
            switch code {
            case .refusedStream: .unavailable
            case .cancel: .cancelled
            case .enhanceYourCalm: .resourceExhausted
            case .inadequateSecurity: .permissionDenied
            default: .internalError
            }
    }
}
