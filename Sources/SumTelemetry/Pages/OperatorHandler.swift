internal import NIOCore
internal import NIOHTTP1
internal import SumCore

/// Answers the requests of one connection of an operator's listener.
final class OperatorHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Smaller answers are not worth compressing.
    private static let compressionThreshold = 1 << 10

    private let pages: [String: OperatorPage]
    private let timeLimit: TimeAmount
    private var head: HTTPRequestHead?
    private var timer: Scheduled<Void>?

    init(_ pages: [String: OperatorPage], timeLimit: TimeAmount) {
        self.pages = pages
        self.timeLimit = timeLimit
    }

    // MARK: Time

    func handlerAdded(context: ChannelHandlerContext) {
        setTimer(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    /// Closes the connection unless the next answer is written in time. Bytes alone do not earn a client more.
    private func setTimer(_ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeLimit) { context.close(promise: nil) }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        // No page takes a body; the connection is closed after one.
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let response = response(to: head)
        var bytes = ByteBuffer(string: response.body)
        var headers = HTTPHeaders([("Content-Type", response.contentType)])
        headers.add(contentsOf: response.headers.map { ($0.name, $0.value) })
        headers.add(name: "Cache-Control", value: "no-store")
        headers.add(name: "X-Content-Type-Options", value: "nosniff")
        if bytes.readableBytes >= Self.compressionThreshold {
            headers.add(name: "Vary", value: "Accept-Encoding")
            if head.takesGzip, let compressed = Self.compressed(bytes) {
                bytes = compressed
                headers.add(name: "Content-Encoding", value: "gzip")
            }
        }
        headers.add(name: "Content-Length", value: "\(bytes.readableBytes)")
        let staysOpen = head.isKeepAlive && !head.hasBody
        if !staysOpen { headers.add(name: "Connection", value: "close") }
        let status = HTTPResponseStatus(statusCode: response.status)
        context.write(
            wrapOutboundOut(.head(.init(version: head.version, status: status, headers: headers))),
            promise: nil)
        if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil) }
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        written.futureResult.assumeIsolated().whenSuccess {
            if staysOpen { self.setTimer(context) } else { context.close(promise: nil) }
        }
    }

    private func response(to head: HTTPRequestHead) -> OperatorPage.Response {
        let path = String(head.uri.prefix { $0 != "?" })
        guard let page = pages[path] else {
            let known = pages.keys.sorted().joined(separator: " ")
            return .init(status: 404, "There is nothing here. There are: \(known)\n")
        }
        guard head.method == .GET || head.method == .HEAD else {
            return .init(
                status: 405, headers: [("Allow", "GET, HEAD")], "Only GET and HEAD are possible here.\n")
        }
        return page.respond(.init(accept: head.headers["accept"].joined(separator: ",")))
    }

    private static func compressed(_ bytes: ByteBuffer) -> ByteBuffer? {
        var output = ByteBuffer()
        // Without the memory for it, the answer goes out as it is.
        try? Zlib.compress(Array(bytes.readableBytesView), with: .gzip, to: &output)
        return output.readableBytes > 0 ? output : nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What is no HTTP has been answered with 400 by the handler before this one.
        context.close(promise: nil)
    }
}

extension HTTPRequestHead {
    fileprivate var hasBody: Bool {
        headers.contains(name: "transfer-encoding")
            || headers["content-length"].contains { $0 != "0" }
    }

    /// Whether the client accepts gzip (RFC 9110 section 12.5.3).
    fileprivate var takesGzip: Bool {
        let ranges = MediaRange.list(headers["accept-encoding"].joined(separator: ","))
        let quality = (ranges.first { $0.name == "gzip" } ?? ranges.first { $0.name == "*" })?.quality
        return quality ?? 0 > 0
    }
}
