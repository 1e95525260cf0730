import NIOCore
import NIOEmbedded
import ScriptedPeers

@testable import SumCore

/// One of our connections, of either role, without a socket, and a peer that sends it exactly the frames it is
/// told. Time stands still unless it is advanced.
final class WireChannel {
    let channel = EmbeddedChannel()
    private let reader: WireReader
    /// Has the connection send what a test has had it do.
    private let flush: () -> Void
    /// What the connection has sent, in order.
    private(set) var frames: [WireFrame] = []
    /// The same in bytes, for what is not HTTP/2.
    private(set) var bytes: [UInt8] = []
    /// In how many writes.
    private(set) var writes = 0

    /// - Parameter before: a handler between the connection and the wire.
    init<C: Connection>(
        _ connection: C, ofClient: Bool = false, before: (any ChannelHandler)? = nil
    ) throws {
        let handler = ConnectionHandler(
            connection, resources: LoopResources(eventLoop: channel.embeddedEventLoop))
        // A server says nothing before its client does.
        flush = C.speaksFirst ? { handler.run { _ in } } : {}
        reader = WireReader(ofClient: ofClient)
        if let before { try channel.pipeline.syncOperations.addHandler(before) }
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        try collect()
    }

    var loop: EmbeddedEventLoop { channel.embeddedEventLoop }

    /// Sends frames in one piece, and collects the answers.
    func send(_ frames: WireFrame...) throws {
        try send(bytes: frames.flatMap(\.bytes))
    }

    func send(bytes: [UInt8]) throws {
        try collect()
        if channel.isActive { try channel.writeInbound(ByteBuffer(bytes: bytes)) }
        try collect()
    }

    func advance(_ time: TimeAmount) throws {
        loop.advanceTime(by: time)
        try collect()
    }

    /// Lets the connection do all the slow work that it does in turns; takes less than a second of its time.
    func finishTurns() throws {
        for _ in 0..<1000 { try advance(.microseconds(100)) }
    }

    /// Whether the connection is still open.
    var isOpen: Bool {
        loop.run()
        return channel.isActive
    }

    private func collect() throws {
        flush()
        loop.run()
        while let written = try channel.readOutbound(as: ByteBuffer.self) {
            writes += 1
            bytes += written.readableBytesView
            frames += reader.read(written.readableBytesView)
        }
    }

    /// What was sent since the last time this was asked.
    func takeFrames() -> [WireFrame] {
        defer { frames = [] }
        return frames
    }
}
