import NIOCore
import ScriptedPeers
import Synchronization

@testable import SumCore

/// One of our connections, of either role, without a channel, and a peer that sends it exactly the frames it is told.
/// Time stands still unless it is advanced.
final class WireChannel {
    private let connection: any Connection
    private let reader: WireReader
    /// What handlers ask for at another time than when they are asked.
    private let actions = Mutex<[@Sendable () -> Void]>([])
    private var now: NIODeadline
    /// When the socket is closed although the peer has not closed it.
    private var closeTime = NIODeadline.distantFuture
    private var isEnding = false

    /// Whether the socket is open.
    private(set) var isOpen = true
    /// Whether the peer reads what it is sent.
    var isWritable = true {
        didSet { pump() }
    }

    /// What the connection has sent, in order.
    private(set) var frames: [WireFrame] = []
    /// The same in bytes, for what is not HTTP/2.
    private(set) var bytes: [UInt8] = []
    /// In how many writes.
    private(set) var writes = 0

    /// How often slow work gets a turn.
    private static let turnInterval = TimeAmount.microseconds(50)

    init<C: Connection>(_ connection: C, ofClient: Bool = false) throws {
        self.connection = connection
        reader = WireReader(ofClient: ofClient)
        now = .uptimeNanoseconds(1 << 40)
        let unowned = Unowned(channel: self)
        // Sound because tests use a channel from one thread, which also runs the actions.
        nonisolated(unsafe) let target = connection
        connection.open(
            Transport<C>(
                peer: Peer(address: "unix:/test"),
                run: { action in unowned.channel?.add { action(target) } }),
            at: now)
        if C.speaksFirst { pump() } else { settle() }
    }

    /// Does not keep a channel alive; used by the thread of its test only.
    private struct Unowned: @unchecked Sendable {
        weak var channel: WireChannel?
    }

    /// Whether handlers have asked for something that `advance` will do.
    var hasActions: Bool { actions.withLock { !$0.isEmpty } }

    private func add(_ action: @escaping @Sendable () -> Void) {
        actions.withLock { $0.append(action) }
    }

    // MARK: The peer

    /// Sends frames in one piece, and collects the answers.
    func send(_ frames: WireFrame...) throws {
        try send(bytes: frames.flatMap(\.bytes))
    }

    func send(bytes: [UInt8]) throws {
        if C_speaksFirst { pump() }
        guard isOpen, !isEnding else { return }
        connection.willRead(TurnBudget(connection.hasBacklog ? 0 : TurnBudget.connectionSlice))
        var rest = ByteBuffer(bytes: bytes)
        while rest.readableBytes > 0 {
            connection.receive(sliceOf: &rest, at: now)
            if connection.core.wantsFlush { write() }
        }
        pump()
    }

    /// What was sent since the last time this was asked.
    func takeFrames() -> [WireFrame] {
        if C_speaksFirst { pump() }
        defer { frames = [] }
        return frames
    }

    /// The socket is closed, by whomever.
    func close() {
        guard isOpen else { return }
        isOpen = false
        connection.core.now = now
        connection.closed()
        connection.core.session.forgetBodies()
    }

    private var C_speaksFirst: Bool { type(of: connection).speaksFirst }

    // MARK: Time

    func advance(_ time: TimeAmount) throws {
        let end = now + time
        while isOpen {
            let turn = connection.hasBacklog ? now + Self.turnInterval : .distantFuture
            let next = min(isEnding ? closeTime : connection.core.nextTick, turn)
            guard next <= end else { break }
            now = max(now, next)
            if next == turn { takeTurn() } else { tick() }
        }
        now = end
        pump()
    }

    private func tick() {
        guard !isEnding else { return close() }
        noteBlocking()
        connection.tick(at: now)
        pump()
    }

    private func takeTurn() {
        var turn = TurnBudget(TurnBudget.connectionSlice)
        connection.takeTurn(within: &turn, at: now)
        pump()
    }

    /// Lets the connection do all the slow work that it does in turns; takes less than a second of its time.
    func finishTurns() throws {
        for _ in 0..<1000 { try advance(.microseconds(100)) }
    }

    // MARK: What the connection wants

    /// Lets happen what is due, and collects what is sent.
    private func pump() {
        while true {
            let due = actions.withLock { actions in
                defer { actions = [] }
                return actions
            }
            connection.core.now = now
            for action in due { action() }
            write()
            if due.isEmpty { return }
        }
    }

    private func write() {
        guard isOpen, !isEnding else { return }
        connection.core.wantsFlush = false
        while isWritable, connection.core.sendsFrames {
            let mayHaveMore = connection.makeOutput()
            connection.core.takeOutput(collect)
            guard mayHaveMore else { break }
        }
        noteBlocking()
        connection.outputWritten()
        settle()
    }

    private func collect(_ written: ByteBuffer) {
        writes += 1
        bytes += written.readableBytesView
        frames += reader.read(written.readableBytesView)
    }

    private func noteBlocking() {
        connection.core.blockedBytes = isWritable ? nil : 0
    }

    private func settle() {
        switch connection.core.ending {
        case nil:
            break
        case .now?:
            close()
        case .afterWriting(let bytes, _)?:
            if bytes.readableBytes > 0 { collect(bytes) }
            close()
        case .afterGoAway(let limit)?:
            guard isWritable else { return end(at: now + limit) }
            close()
        case .afterFlush(let linger, let limit)?:
            guard isWritable else { return end(at: now + limit) }
            if linger > .zero { end(at: now + linger) } else { close() }
        }
    }

    private func end(at moment: NIODeadline) {
        isEnding = true
        closeTime = min(moment, connection.core.closeBy)
    }
}

extension WireChannel {
    /// Lets the calls of a server's connection end, and then the connection.
    func drain() throws {
        (connection as? ServerConnection)?.drain("", at: now)
        pump()
    }
}
