import NIOCore
import NIOEmbedded
import ScriptedPeers

@testable import SumCore

/// A call of SumNumbers, its connections, and servers that do with it whatever a row of random numbers says; all of
/// it in memory, on one thread, with a clock that is moved by hand.
///
/// `breach` says which promise was broken first.
final class CallWorld: @unchecked Sendable {
    private var random: SeededRandom
    private let loop = EmbeddedEventLoop()
    private var servers: [ModelServer] = []
    private var inUse: ReadyConnection?
    private var waiting: [(call: RetryingCall, pause: Scheduled<Void>)] = []
    private(set) var isClosed = false

    private let numbers: [Int32]
    let retries: Int
    private let isStreamed: Bool
    private var written = 0
    private var isCancelled = false
    private let whole: OneShotSum
    private let exchange = AsyncClientCall(maxMessageSize: 4 << 20)
    private let watched: WatchedEnd
    private var call: RetryingCall?

    private(set) var breach: String?
    /// What was done, for the message of a run that fails.
    private(set) var log: [String] = []

    private static let maxConnections = 3

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        isStreamed = Bool.random(using: &random)
        retries = [0, 0, 0, 1, 2].randomElement(using: &random) ?? 0
        // Of the last kind more is sent than is kept.
        let count =
            ([0, 1, 3, 20, 300, 1_000] + (seed % 32 == 0 ? [60_000] : [])).randomElement(using: &random) ?? 0
        // All positive, so that no part of them has the sum of the whole.
        numbers = (0..<count).map { 1 + Int32($0 % 300) }
        whole = OneShotSum(of: numbers, maxMessageSize: 4 << 20)
        watched = WatchedEnd(isStreamed ? exchange : whole)
    }

    var total: Int32 { numbers.reduce(0, &+) }
    var hasEnded: Bool { watched.endings > 0 }

    /// Runs the call to its end, or finds that it has none.
    func run() throws {
        var options = GRPCCallOptions()
        options.maxRetries = retries
        let call = RetryingCall(
            self, GRPCRequestHead(path: SumNumbers.path, authority: "localhost"), options, handler: watched)
        self.call = call
        if Int.random(in: 0..<4, using: &random) == 0 { try addServer() }
        call.begin()
        for _ in 0..<Int.random(in: 1...40, using: &random) where breach == nil {
            try act(Int.random(in: 0..<30, using: &random))
            try settle()
        }
        try finish()
    }

    // MARK: What happens

    private func act(_ action: Int) throws {
        switch action {
        case 0..<6 where isStreamed: send()
        case 6: cancel()
        case 7 where Int.random(in: 0..<4, using: &random) == 0: close()
        case 8, 9: loop.advanceTime(by: .milliseconds(Int64.random(in: 1...3_000, using: &random)))
        default:
            guard let server = servers.filter(\.isOpen).randomElement(using: &random) else {
                return loop.advanceTime(by: .milliseconds(100))
            }
            log.append(try server.act(&random))
        }
    }

    /// Lets everything happen that is due.
    private func settle() throws {
        for _ in 0..<4 {
            loop.run()
            for server in servers { try server.collect() }
        }
        // What was on its way when the call was cancelled is reset behind it.
        let goesOn = servers.contains { $0.isReadByServer && $0.attempts.contains { !$0.isClosed } }
        if isCancelled, goesOn { note("the call goes on after it was cancelled") }
    }

    private func send() {
        guard written <= numbers.count else { return }
        if written == numbers.count {
            written += 1
            if exchange.pipe.finish() { call?.wake() }
            return
        }
        let count = Int.random(in: 1...(numbers.count - written), using: &random)
        var batch = ByteBuffer()
        for number in numbers[written..<(written + count)] { batch.writeNumber(number) }
        written += count
        switch try? exchange.pipe.write(batch) {
        case .done(true), .full(true): call?.wake()
        default: break
        }
    }

    private func cancel() {
        log.append("cancel")
        call?.cancel()
        isCancelled = true
    }

    private func close() {
        log.append("close")
        isClosed = true
        inUse = nil
        for (call, pause) in waiting {
            pause.cancel()
            call.fail(GRPCStatus(code: .cancelled))
        }
        waiting = []
        for server in servers { server.handler.run { $0.shutDown(within: .milliseconds(500)) } }
    }

    /// The servers become as they should be, or all connections are lost. Either ends the call.
    private func finish() throws {
        log.append("end")
        let areGood = Bool.random(using: &random)
        for _ in 0..<200 where breach == nil && !hasEnded {
            while isStreamed, written <= numbers.count { send() }
            for server in servers where server.isOpen {
                if areGood { try server.serve() } else { server.drop() }
            }
            try settle()
            loop.advanceTime(by: .seconds(1))
            try settle()
        }
        if !hasEnded { note("the call hangs") }
        for server in servers { server.drop() }
        loop.run()
        if watched.endings > 1 { note("the call ended \(watched.endings) times") }
    }

    func note(_ text: String) {
        breach = breach ?? text
    }

    /// The sum that a program gets; nil for an error. Only after `run`.
    func outcome() async -> Int32? {
        guard hasEnded else { return nil }
        let nowhere = NoControl()
        if isStreamed {
            let call = SumNumbersCall(
                GRPCClientCall(exchange: exchange, control: nowhere, compression: .identity))
            return try? await call.closeAndReceive()
        }
        return try? await whole.outcome(of: nowhere, begin: {}).get()
    }

    // MARK: Servers

    private func addServer() throws {
        let server = try ModelServer(on: loop)
        server.received = { [unowned self] in check() }
        servers.append(server)
        inUse = server.connected
        log.append(try server.greet(&random))
    }

    /// A request has come to a server. What the earlier attempts came to decides whether it may.
    private func check() {
        let earlier = servers.flatMap(\.attempts).dropLast()
        if earlier.contains(where: \.isAnswered) { note("an attempt after an answer had begun") }
        if earlier.filter({ !$0.isDisowned }).count > retries {
            note("a call made again that a server may have run")
        }
    }
}

extension CallWorld: ConnectionSource {
    var eventLoop: any EventLoop { loop }
    func pick() -> ReadyConnection? { inUse }
    var activity: String { "connecting" }
    var resolvedAt: NIODeadline? { .distantPast }

    func connect(_ call: RetryingCall, after pause: Duration, avoiding avoided: ReadyConnection?) {
        let scheduled = loop.scheduleTask(in: .nanoseconds(pause.wholeNanoseconds)) { [self] in
            waiting = []
            let mayConnect =
                servers.count < Self.maxConnections && Int.random(in: 0..<8, using: &random) > 0
            if inUse == nil, mayConnect { try addServer() }
            if let inUse {
                call.start(on: inUse)
            } else {
                call.fail(GRPCStatus(code: .unavailable, message: "no connection"))
            }
        }
        waiting = [(call, scheduled)]
    }

    func stopConnecting(_ call: RetryingCall) {
        for (_, pause) in waiting { pause.cancel() }
        waiting = []
    }

    func discard(_ connected: ReadyConnection) {
        if inUse?.channel === connected.channel { inUse = nil }
    }
}

/// Passes a call on, and counts its ends.
private final class WatchedEnd: ClientCallHandler, @unchecked Sendable {
    private let handler: any ClientCallHandler
    private(set) var endings = 0

    init(_ handler: any ClientCallHandler) {
        self.handler = handler
    }

    var requestBody: any HTTP2Body { handler.requestBody }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {
        handler.receiveHeaders(metadata, compression: compression)
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int { try handler.receive(bytes) }

    func end(_ end: ClientCallEnd) {
        endings += 1
        handler.end(end)
    }
}

/// The control of a call that has ended.
private final class NoControl: ClientCallControl {
    func wake() {}
    func credit(_ count: Int) {}
    func cancel() {}
    func peer() async -> Peer? { nil }
}
