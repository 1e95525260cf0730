import NIOCore

@testable import SumCore

extension FuzzTarget {
    /// abuse-F5: every parser of text accepts any text, and gives the result of a naive implementation, or of the
    /// value that was formatted.
    public static let text = FuzzTarget("text", seeds: TextCheck.seeds) { bytes in
        var input = FuzzInput(bytes)
        try input.element(of: TextCheck.all).run(&input)
    }
}

/// A parser of text, and the properties that must hold.
struct TextCheck {
    let examples: [String]
    let run: @Sendable (inout FuzzInput) throws -> Void

    init(_ examples: [String], _ run: @escaping @Sendable (inout FuzzInput) throws -> Void) {
        self.examples = examples
        self.run = run
    }

    /// For text that is valid Unicode.
    init(_ examples: [String], text run: @escaping @Sendable (String) throws -> Void) {
        self.init(examples) { input in try run(String(decoding: input.takeRest(), as: UTF8.self)) }
    }

    static let all = [
        timeout, percentEncoding, base64, contentType, request, trailers, metadata, printable, target,
        listenAddress, duration, arguments, numbers, proxy, proxyExceptions, proxyAnswer,
        proxyHeader, tokens,
    ]

    static var seeds: [[UInt8]] {
        all.enumerated().flatMap { index, check in check.examples.map { [UInt8(index)] + $0.utf8 } }
    }
}

// MARK: Values of header fields

extension TextCheck {
    private static let timeout = TextCheck(["1S", "99999999H", "0n", "100m", "123456789u", "-1S", "1.5S"]) {
        text in
        let bytes = Array(text.utf8)
        let isValid =
            (2...9).contains(bytes.count) && "HMSmun".utf8.contains(bytes[bytes.count - 1])
            && bytes.dropLast().allSatisfy { (0x30...0x39).contains($0) }
        let timeout = GRPCTimeout.decode(text)
        try require((timeout != nil) == isValid, "grpc-timeout '\(text)': \(timeout as Any)")
        guard let timeout else { return }
        guard let again = GRPCTimeout.decode(GRPCTimeout.encode(timeout)) else {
            throw Finding(description: "grpc-timeout '\(text)' is encoded as something that is none")
        }
        let isCapped = timeout.wholeNanoseconds == .max
        try require(isCapped || again >= timeout, "grpc-timeout '\(text)' becomes shorter: \(again)")
    }

    private static let percentEncoding = TextCheck(["a%20b", "%", "%4", "%zz%41", "ä%c3%a4", "%%41"]) {
        text in
        let encoded = PercentEncoding.encode(text)
        try require(encoded.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "not ASCII: \(encoded)")
        try require(PercentEncoding.decode(encoded).utf8.elementsEqual(text.utf8), "changed: '\(text)'")
        let parts = text.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
        var slow = Array(parts[0])
        for part in parts.dropFirst() {
            let digits = String(decoding: part.prefix(2), as: UTF8.self)
            if digits.utf8.count == 2, digits.utf8.allSatisfy(isHexDigit), let byte = UInt8(digits, radix: 16)
            {
                slow += [byte] + part.dropFirst(2)
            } else {
                slow += [UInt8(ascii: "%")] + part
            }
        }
        let decoded = PercentEncoding.decode(text)
        try require(
            decoded.utf8.elementsEqual(String(decoding: slow, as: UTF8.self).utf8), "'\(text)': '\(decoded)'")
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        Character(Unicode.Scalar(byte)).isHexDigit
    }

    private static let base64 = TextCheck(["", "QQ", "QQ==", "QUI=", "QUJD", "Q", "Q=Q", "QR", "*", "/+8="]) {
        (input: inout FuzzInput) in
        let bytes = input.takeRest()
        let encoded = Base64.encode(bytes)
        try require(Base64.decode(encoded[...]) == bytes, "base64 changes \(bytes)")
        try require(GRPCMetadata.unpaddedBase64(encoded) == encoded, "not base64: \(encoded)")
        let text = String(decoding: bytes, as: UTF8.self)
        let decoded = Base64.decode(text[...])
        if let unpadded = GRPCMetadata.unpaddedBase64(text) {
            try require(decoded != nil, "taken for base64, and not decoded: '\(text)'")
            try require(decoded == decodeSlowly(unpadded), "'\(text)': \(decoded as Any)")
        }
    }

    private static func decodeSlowly(_ digits: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bits = digits.utf8.flatMap { digit in
            let value = alphabet.firstIndex(of: digit) ?? 0
            return (0..<6).reversed().map { value >> $0 & 1 }
        }
        return (0..<(bits.count / 8)).map { index in
            UInt8(bits[(index * 8)..<(index * 8 + 8)].reduce(0) { $0 << 1 | $1 })
        }
    }

    private static let contentType = TextCheck([
        "application/grpc", "application/grpc+proto", "application/grpc;a=b", "Application/GRPC+json",
        "application/grpc-web", "text/plain",
    ]) { text in
        let bytes = text.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        let standard = Array("application/grpc".utf8)
        let after = bytes.dropFirst(standard.count).first
        let isGRPC =
            bytes.starts(with: standard)
            && (after == nil || after == UInt8(ascii: "+") || after == UInt8(ascii: ";"))
        try require(GRPCContentType.isGRPC(text) == isGRPC, "content-type '\(text)'")
        guard isGRPC else { return }
        let codec = bytes.dropFirst(standard.count).prefix { $0 != UInt8(ascii: ";") }
        let isProtobuf = codec.isEmpty || Array(codec) == Array("+proto".utf8)
        try require(GRPCContentType.isProtobuf(text) == isProtobuf, "codec of '\(text)'")
    }

    private static let printable = TextCheck(["abc", "\u{1b}[31m", "\r\n\0", "\u{202e}\u{2028}ä"]) { text in
        let shown = text.escapedForDisplay
        try require(shown.utf8.count <= 12 * String.displayLimit, "\(shown.utf8.count) bytes are shown")
        try require(
            shown.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) },
            "control characters are shown")
        if text.unicodeScalars.count <= String.displayLimit {
            try require(shown.escapedForDisplay.hasPrefix(shown.prefix(20)), "shown twice, it differs")
        }
    }
}

// MARK: Header lists

extension TextCheck {
    private static let plainRequest = [
        HTTP2Field(":method", "POST"), HTTP2Field(":scheme", "http"), HTTP2Field(":path", SumNumbers.path),
        HTTP2Field("te", "trailers"), HTTP2Field("content-type", "application/grpc"),
    ]

    /// Lines of `name:value`, which come first, so that they hide those of the plain list with the same name.
    private static func fields(_ input: inout FuzzInput) -> [HTTP2Field] {
        let lines = input.takeRest().split(separator: UInt8(ascii: "\n"))
        return lines.map { line in
            let end = line.dropFirst().firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
            return HTTP2Field(
                String(decoding: line[..<end], as: UTF8.self),
                String(decoding: line[end...].dropFirst(), as: UTF8.self))
        }
    }

    private static let request = TextCheck([
        "", ":method:GET", "content-type:text/plain", "grpc-timeout:1S\ngrpc-encoding:gzip\na:b\na:c",
        "grpc-encoding:br", "x-bin:QUI,QUJD", "x-bin:*", "grpc-timeout:1x", "host:h\nuser-agent:u",
        ":path:/a/b\ngrpc-accept-encoding:gzip, deflate",
    ]) { (input: inout FuzzInput) in
        let fields = fields(&input) + plainRequest
        let request: GRPCRequestHead
        do throws(GRPCRequestHead.Rejection) {
            request = try GRPCRequestHead(received: fields)
        } catch {
            try require(!error.status.isOK && (200..<500).contains(error.httpStatus), "refused with OK")
            _ = ServerCall.rejection(error)
            return
        }
        var again = try GRPCRequestHead(received: request.fields())
        try require(
            (again.timeout ?? .zero) >= min(request.timeout ?? .zero, .nanoseconds(Int64.max)),
            "the timeout becomes shorter")
        again.timeout = request.timeout
        try require(again == request, "written again, the request is \(again), and not \(request)")
        for key in Set(request.metadata.fields.map(\.key)) where key.hasSuffix("-bin") {
            try require(!request.metadata.bytes(key).isEmpty, "'\(key)' was accepted, and has no bytes")
        }
    }

    private static let trailers = TextCheck([
        "grpc-status:0", "grpc-status:3\ngrpc-message:a%20b", "grpc-status:-1", "grpc-status:99999999999",
        "grpc-status:abc", "a:b", "grpc-status:2\ngrpc-status-details-bin:CAI", "grpc-status:+0",
        "grpc-status:17\ngrpc-retry-pushback-ms:-1", ":status:503\ncontent-type:text/html",
    ]) { (input: inout FuzzInput) in
        let fields = fields(&input)
        let status = GRPCStatus(trailers: fields)
        try require((status == nil) == (fields.first("grpc-status") == nil), "\(fields): \(status as Any)")
        if status?.isOK == true {
            let digits = fields.first("grpc-status") ?? ""
            try require(digits.utf8.allSatisfy { "+-0".utf8.contains($0) }, "'\(digits)' is OK")
        }
        for endStream in [true, false] {
            var call = ClientCall()
            _ = call.receiveHeaders(
                ResponseBlock([HTTP2Field(":status", "200")] + fields), endStream: endStream)
            _ = call.receiveHeaders(ResponseBlock(fields), endStream: true)
            try require(call.hasEnded, "the call goes on after its end")
        }
    }

    private static let metadata = TextCheck(["a:b", "x-bin:QQ==", "grpc-a:b", "A.b_c-1:ä", "te:x", "x-bin:Q"])
    {
        (input: inout FuzzInput) in
        for field in fields(&input) {
            var metadata = GRPCMetadata()
            guard (try? metadata.add(field.name, field.value)) != nil else { continue }
            let received = GRPCMetadata(
                received: metadata.fields.map { HTTP2Field($0.key, $0.value) })
            try require(received == metadata, "\(field) does not arrive: \(received)")
            try require(received.malformedBinaryField == nil, "\(field) is refused")
        }
    }
}

// MARK: What users write

extension TextCheck {
    private static let target = TextCheck([
        "localhost:50051", "h", "dns:///h:1", "ipv4:1.2.3.4:5,6.7.8.9:10", "ipv6:[::1]:5", "unix:/a", "[::1]",
        "unix:///a", "dns://8.8.8.8/h", ":1", "h:65536", "::1",
    ]) { text in
        guard let target = try? Target(text) else { return }
        try require(!target.endpoints.isEmpty && target.description == text, "'\(text)' names nothing")
        for endpoint in target.endpoints {
            // A host may have the name of a scheme.
            if case .host(let host, _) = endpoint, ["ipv4", "ipv6", "dns", "unix"].contains(host) {
                continue
            }
            let again = try? Target(Target.describe(endpoint))
            try require(again?.endpoints == [endpoint], "'\(text)': \(endpoint) becomes \(again as Any)")
        }
    }

    private static let listenAddress = TextCheck([
        "127.0.0.1:0", "[::]:50051", ":1", "unix:/a", "h:65535", "h:65536", "[h]:1", "[::1]", "unix:", "h:",
        "*:1", "unix:///a", "unix:////a", "unix://a", "dns:///h:1", "ipv4:1.2.3.4:5", "ipv6:[::1]:5",
    ]) { text in
        guard let address = try? ListenAddress(text) else { return }
        if case .allInterfaces(let port) = address {
            return try require((0...65535).contains(port), "port \(port)")
        }
        // A host of this name reads as a scheme.
        if case .host(let host, _) = address, ["ipv4", "ipv6", "dns", "unix"].contains(host) { return }
        let again = try? ListenAddress(address.description)
        try require(again == address, "'\(text)': \(address) becomes \(again as Any)")
    }

    private static let duration = TextCheck([
        "1s", "1.5ms", "2m", "3h", "0s", "1e3s", "1000000h", "1.s", ".5s",
    ]) {
        text in
        guard let duration = try? Duration(text: text) else { return }
        try require(.zero <= duration && duration <= .seconds(3_600_000_000), "'\(text)': \(duration)")
        try require(["s", "m", "h"].contains(text.last), "'\(text)' has no unit")
    }

    private static let arguments = TextCheck([
        "1\0-2\0+3", "--target\0-2\0-f\0a\0-", "--\0-x\0--", "-vf\0a", "\0-", "-fa\0-vfa\0-f-f\01",
    ]) {
        text in
        let words = text.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        let arguments = Arguments(words)
        let dropped = words.count - arguments.options.count - arguments.operands.count
        // An attached value becomes a word, and so may the options before it.
        let attached = words.filter { $0.hasPrefix("-") && $0.dropFirst().dropLast().contains("f") }.count
        let mayDrop = words.contains("--") ? 1 : 0
        try require((-2 * attached...mayDrop).contains(dropped), "\(dropped) words are lost")
        for operand in arguments.operands {
            try require(words[operand.place - 1] == operand.word, "\(operand) is not there")
        }
        let numberWords = arguments.operands.map(\.word).filter { $0 != "-" }
        let numbers = numberWords.map { Int32($0) }
        do throws(InputError) {
            let found = try arguments.numbersAndInputs(files: []).numbers
            guard found == numbers else { throw .notANumber(place: "", word: "\(found)") }
        } catch {
            guard case .notANumber(let place, let word) = error else { return }
            let bad = arguments.operands.first { $0.word != "-" && Int32($0.word) == nil }
            try require(
                bad.map { ("argument \($0.place)", $0.word) == (place, word) } ?? false, "\(error) is wrong")
        }
    }

    private static let numbers = TextCheck([
        "\u{9}1 -2\n+3 ", "\u{2}12 345\r\n6789 2147483647\n-2147483648 2147483648 ", "\u{a}1\n 2 x", "\u{1}1",
        "\u{3}00000000000000000000000000000000000000000000000000000000000000000000001 5",
        "\u{1}\u{feff}1 \u{feff}2",
        "\u{c}999999999 1000000000 -1000000000 99999999 -99999999 12345678901",
    ]) { (input: inout FuzzInput) in
        var pieces = Pieces(seed: input.byte())
        let text = input.takeRest()
        let expected = parseSlowly(text)
        var parser = NumberParser()
        var numbers: [Int32] = []
        var bad: NumberParser.BadNumber?
        do throws(NumberParser.BadNumber) {
            for piece in pieces.cut(text) {
                try parser.parse([UInt8](piece.readableBytesView).span, into: &numbers)
            }
            try parser.finish(into: &numbers)
        } catch {
            bad = error
        }
        try require(numbers == expected.numbers, "\(numbers), and not \(expected.numbers)")
        try require(bad == expected.bad, "\(bad as Any), and not \(expected.bad as Any)")
    }

    /// A naive parser: words separated by white space, each parsed by `Int32`, with its place.
    private static func parseSlowly(_ text: [UInt8]) -> (numbers: [Int32], bad: NumberParser.BadNumber?) {
        var numbers: [Int32] = []
        // A byte order mark is not there.
        var (line, column, position) = (1, 1, text.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0)
        while position < text.count {
            let word = text[position...].prefix { !" \t\n\u{b}\u{c}\r".utf8.contains($0) }
            guard !word.isEmpty else {
                (line, column) = text[position] == UInt8(ascii: "\n") ? (line + 1, 1) : (line, column + 1)
                position += 1
                continue
            }
            guard let number = Int32(String(decoding: word, as: UTF8.self)) else {
                let isUTF16 = word.starts(with: [0xff, 0xfe]) || word.starts(with: [0xfe, 0xff])
                return (
                    numbers,
                    .init(
                        line: line, column: column, word: shown(word),
                        beginsAsUTF16: isUTF16 && line == 1 && column == 1)
                )
            }
            numbers.append(number)
            column += word.count
            position += word.count
        }
        return (numbers, nil)
    }

    /// As many whole characters as begin within 64 bytes, if there are more; `\xFF` for each byte that is not ASCII in
    /// what is not UTF-8.
    private static func shown(_ word: some Collection<UInt8>) -> String {
        var bytes = Array(word.prefix(64))
        if word.count > 64 {
            let continuations = bytes.reversed().prefix { (0x80..<0xc0).contains($0) }.count
            bytes.removeLast(min(continuations, 3))
            if let last = bytes.last, last >= 0xc0 { bytes.removeLast() }
        }
        let text =
            String(validating: bytes, as: UTF8.self)
            ?? bytes.map { byte in
                byte < 0x80
                    ? "\(Unicode.Scalar(byte))" : "\\x" + String(byte, radix: 16, uppercase: true)
            }.joined()
        return text + (word.count > 64 ? "..." : "")
    }
}
