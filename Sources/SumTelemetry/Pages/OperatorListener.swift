public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import SumCore

/// Serves pages to an operator and their tools, over HTTP/1.1 in clear text, on an address of its own.
///
/// It has a thread of its own, so that neither making a page nor a client that misbehaves takes time from those that
/// carry calls. It has few connections, and each must ask for something, and take the answer, within a time limit.
public final class OperatorListener: Sendable {
    /// Connections at the same time. More are closed at once.
    public static let maxConnections = 8
    /// How long a client may take for a request, and then for taking the answer.
    static let timeLimit = TimeAmount.seconds(10)

    /// The address as a client writes it, such as `127.0.0.1:9464`.
    public let address: String
    private let listener: PlainListener
    private let group: MultiThreadedEventLoopGroup

    private init(_ listener: PlainListener, _ group: MultiThreadedEventLoopGroup) {
        self.listener = listener
        self.group = group
        address = listener.address
    }

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - address: where.
    ///   - pages: by their paths; what is elsewhere is not found.
    ///   - socketMode: the permissions of a Unix domain socket; nil: set by the umask.
    ///   - logger: gets lines about problems.
    public static func start(
        on address: ListenAddress, pages: [OperatorPage], socketMode: UInt16? = nil, logger: Logger
    ) async throws(ListenError) -> OperatorListener {
        try await start(
            on: address, pages: pages, socketMode: socketMode, timeLimit: timeLimit, logger: logger)
    }

    static func start(
        on address: ListenAddress, pages: [OperatorPage], socketMode: UInt16? = nil, timeLimit: TimeAmount,
        logger: Logger
    ) async throws(ListenError) -> OperatorListener {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let pages = Dictionary(pages.map { ($0.path, $0) }, uniquingKeysWith: { _, last in last })
        let count = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: group.next())
        do throws(ListenError) {
            let listener = try await PlainListener(
                on: address, group: group, socketMode: socketMode, logger: logger
            ) { channel in
                try prepare(channel, pages, count, timeLimit: timeLimit)
            }
            return OperatorListener(listener, group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// - Parameter count: of the connections. All are on one event loop.
    static func prepare(
        _ channel: any Channel, _ pages: [String: OperatorPage], _ count: NIOLoopBoundBox<Int>,
        timeLimit: TimeAmount = timeLimit
    ) throws {
        guard count.value < maxConnections else { throw ConnectionRefusal.tooManyConnections }
        count.value += 1
        channel.closeFuture.whenComplete { _ in count.value -= 1 }
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8 << 10
        limits.maxHeaderListSize = 16 << 10
        limits.maxHeaderFieldCount = 64
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withErrorHandling: true, withEncoderConfiguration: .init(),
            withDecoderLimitConfiguration: limits)
        try channel.pipeline.syncOperations.addHandler(OperatorHandler(pages, timeLimit: timeLimit))
    }

    /// Accepts no more connections, and closes those that are open.
    public func close() async {
        await listener.close()
        try? await group.shutdownGracefully()
    }
}
