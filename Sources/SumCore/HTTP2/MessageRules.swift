internal import CNghttp2

/// HTTP's rules for the header fields of requests and responses (RFC 9113 sections 8.2 and 8.3).
///
/// nghttp2 can check these rules too, but reports neither the field nor the reason, and rejects what gRPC clients send:
/// white space around values, and an `:authority` that is empty or a path. So its check is off
/// (`nghttp2_option_set_no_http_messaging`), and this one takes its place, with nghttp2's character tables.
///
/// Each function returns the reason why something is invalid, for a message, or nil if it is valid.
enum MessageRules {
    // MARK: One field

    /// Checks the characters of a field. White space around the value must have been removed.
    static func fault(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> String? {
        guard unsafe nghttp2_check_header_name(name.baseAddress, name.count) != 0 else {
            let hasUpperCase = unsafe name.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            return
                unsafe "the field name '\(text(name))' has \(hasUpperCase ? "upper-case letters" : "characters that HTTP forbids")"
        }
        guard unsafe isValid(value, of: name) else {
            let shown = unsafe HTTP2Field.isSecret(text(name)) ? "(hidden)" : "'\(text(value))'"
            return unsafe "the value of '\(text(name))' is not valid: \(shown)"
        }
        return nil
    }

    private static func isValid(
        _ value: UnsafeBufferPointer<UInt8>, of name: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        let isPseudo = unsafe name.first == UInt8(ascii: ":")
        return switch isPseudo ? unsafe String(decoding: name, as: UTF8.self) : "" {
        case ":method": unsafe nghttp2_check_method(value.baseAddress, value.count) != 0
        case ":path": unsafe nghttp2_check_path(value.baseAddress, value.count) != 0
        default: unsafe nghttp2_check_header_value(value.baseAddress, value.count) != 0
        }
    }

    private static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        unsafe String(decoding: bytes.prefix(String.displayLimit), as: UTF8.self).escapedForDisplay
    }

    // MARK: Header lists

    static func fault(inRequest fields: [HTTP2Field]) -> String? {
        var pseudo = PseudoFields()
        if let fault = fault(in: fields, &pseudo) { return fault }
        guard let method = pseudo.method else { return "there is no ':method'" }
        if method == "CONNECT" {
            guard pseudo.path == nil, pseudo.scheme == nil, pseudo.hasAuthority else {
                return "CONNECT has an ':authority', and neither ':scheme' nor ':path'"
            }
            return nil
        }
        guard let scheme = pseudo.scheme else { return "there is no ':scheme'" }
        guard isScheme(scheme) else { return "':scheme' is not valid: '\(scheme.escapedForDisplay)'" }
        guard let path = pseudo.path else { return "there is no ':path'" }
        guard path.utf8.first == UInt8(ascii: "/") || (path == "*" && method == "OPTIONS") else {
            return "':path' does not begin with '/': '\(path.escapedForDisplay)'"
        }
        guard pseudo.hasAuthority || fields.contains(where: { $0.name == "host" }) else {
            return "there is neither ':authority' nor 'host'"
        }
        return pseudo.hasStatus ? "':status' is only for responses" : nil
    }

    /// - Returns: the fault, and whether this is an interim response (status 100 to 199), after which another one
    ///   follows.
    static func fault(inResponse fields: [HTTP2Field], endStream: Bool) -> (fault: String?, isInterim: Bool) {
        var pseudo = PseudoFields()
        if let fault = fault(in: fields, &pseudo) { return (fault, false) }
        guard !pseudo.hasRequestFields else { return ("it has the pseudo-headers of a request", false) }
        guard let status = fields.first(":status") else { return ("there is no ':status'", false) }
        guard status.utf8.count == 3, let number = Int(status), number >= 100 else {
            return ("':status' is not a number of three digits: '\(status.escapedForDisplay)'", false)
        }
        guard number < 200 else { return (nil, false) }
        guard number != 101 else { return ("HTTP/2 has no status 101", false) }
        guard !endStream else { return ("the interim response \(number) ends the stream", false) }
        guard fields.first("content-length") == nil else {
            return ("the interim response \(number) has a content-length", false)
        }
        return (nil, true)
    }

    static func fault(inTrailers fields: [HTTP2Field]) -> String? {
        for field in fields {
            if isPseudo(field) {
                return "the trailers have the pseudo-header '\(field.name.escapedForDisplay)'"
            }
            if let fault = fault(inConnectionField: field) { return fault }
        }
        return nil
    }

    /// The pseudo-headers of a list, as far as the rules need them.
    private struct PseudoFields {
        var method: String?
        var scheme: String?
        var path: String?
        var hasAuthority = false
        var hasStatus = false
        var hasRequestFields: Bool { method != nil || scheme != nil || path != nil || hasAuthority }

        mutating func fault(adding field: HTTP2Field, isPastPseudo: Bool) -> String? {
            if !isPastPseudo, let isFirst = take(field), isFirst { return nil }
            let name = field.name.escapedForDisplay
            if isPastPseudo { return "the pseudo-header '\(name)' comes after other fields" }
            return Self.isKnown(field) ? "'\(name)' occurs twice" : "unknown pseudo-header '\(name)'"
        }

        private static func isKnown(_ field: HTTP2Field) -> Bool {
            var empty = PseudoFields()
            return empty.take(field) != nil
        }

        /// - Returns: false if the field occurred before, nil if it is unknown.
        private mutating func take(_ field: HTTP2Field) -> Bool? {
            switch field.name {
            case ":method": Self.set(&method, field.value)
            case ":scheme": Self.set(&scheme, field.value)
            case ":path": Self.set(&path, field.value)
            case ":authority": Self.set(&hasAuthority)
            case ":status": Self.set(&hasStatus)
            default: nil
            }
        }

        private static func set(_ place: inout String?, _ value: String) -> Bool {
            defer { place = value }
            return place == nil
        }

        private static func set(_ place: inout Bool) -> Bool {
            defer { place = true }
            return !place
        }
    }

    private static func fault(in fields: [HTTP2Field], _ pseudo: inout PseudoFields) -> String? {
        var (isPastPseudo, hasHost, hasLength) = (false, false, false)
        for field in fields {
            if isPseudo(field) {
                if let fault = pseudo.fault(adding: field, isPastPseudo: isPastPseudo) { return fault }
                continue
            }
            isPastPseudo = true
            if let fault = fault(inConnectionField: field) { return fault }
            switch field.name {
            case "host":
                guard !hasHost else { return "'host' occurs twice" }
                hasHost = true
            case "content-length":
                guard !hasLength else { return "'content-length' occurs twice" }
                hasLength = true
                guard contentLength(field.value) != nil else {
                    return "'content-length' is not a number: '\(field.value.escapedForDisplay)'"
                }
            default: break
            }
        }
        return nil
    }

    /// Connection-specific fields of HTTP/1 (RFC 9113 section 8.2.2).
    private static func fault(inConnectionField field: HTTP2Field) -> String? {
        // By the first letter first, because comparing strings takes much longer.
        switch field.name.utf8.first {
        case UInt8(ascii: "c") where field.name == "connection",
            UInt8(ascii: "k") where field.name == "keep-alive",
            UInt8(ascii: "p") where field.name == "proxy-connection",
            UInt8(ascii: "t") where field.name == "transfer-encoding",
            UInt8(ascii: "u") where field.name == "upgrade":
            "HTTP/2 forbids the field '\(field.name)', here '\(field.value.escapedForDisplay)'"
        case UInt8(ascii: "t")
        where field.name == "te" && field.value != "trailers"
            && field.value.lowercased() != "trailers":
            "HTTP/2 allows 'te' to be 'trailers' only, not '\(field.value.escapedForDisplay)'"
        default: nil
        }
    }

    private static func isPseudo(_ field: HTTP2Field) -> Bool {
        field.name.utf8.first == UInt8(ascii: ":")
    }

    /// Whether the text is a valid scheme (RFC 3986 section 3.1).
    private static func isScheme(_ text: String) -> Bool {
        let isLetter = { (byte: UInt8) in (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { byte in
            isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(byte)
        }
    }

    /// The value of `content-length` in bytes; nil if it is not a number.
    static func contentLength(_ text: String) -> Int? {
        guard text.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else { return nil }
        return Int(text)
    }
}

/// The state needed to check the body of one message. Only those with a `content-length` or an interim response have
/// one.
struct BodyWatch {
    /// The `content-length`, if there is one.
    var promised: Int?
    var received = 0
    /// Whether an interim response has arrived, and the final one has not.
    var isInterim = false

    /// Counts bytes of the body, and returns what is wrong with them.
    mutating func fault(receiving count: Int) -> String? {
        guard !isInterim else { return "DATA came before the final response" }
        received += count
        guard let promised, received > promised else { return nil }
        return "'content-length' says \(promised) bytes, but more came"
    }

    var faultAtEnd: String? {
        guard !isInterim else { return "the stream ended before the final response" }
        guard let promised, received < promised else { return nil }
        return "'content-length' says \(promised) bytes, but \(received) came"
    }
}
