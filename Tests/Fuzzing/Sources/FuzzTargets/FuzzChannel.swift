import NIOCore
import NIOEmbedded

@testable import SumCore

/// One of our connections without a socket, driven by a script to its end.
struct FuzzChannel<C: Connection> {
    let handler: ConnectionHandler<C>
    private let channel: EmbeddedChannel
    private var output = OutputCheck()
    private var expectsPreface: Bool
    /// Whether what is sent is HTTP/2: a peer that did not say hello may be told so in other words.
    private let checksOutput: Bool

    init(
        _ connection: C, on loop: EmbeddedEventLoop = EmbeddedEventLoop(), isClient: Bool, checksOutput: Bool
    ) throws {
        handler = ConnectionHandler(connection, resources: LoopResources(eventLoop: loop))
        channel = EmbeddedChannel(loop: loop)
        expectsPreface = isClient
        self.checksOutput = checksOutput
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/fuzz")).wait()
        try settle()
    }

    var pipeline: ChannelPipeline { channel.pipeline }

    func receive(_ bytes: [UInt8]) {
        if channel.isActive { _ = try? channel.writeInbound(ByteBuffer(bytes: bytes)) }
    }

    /// - Parameter act: does a step that is the role's own.
    mutating func run(_ script: inout ConnectionScript, act: (UInt8, UInt8) -> Void) throws {
        while let step = script.next() {
            switch step {
            case .receive(let bytes):
                receive(bytes)
            case .wait(let time):
                channel.embeddedEventLoop.advanceTime(by: time)
            case .toggleWritability:
                channel.isWritable.toggle()
                channel.pipeline.fireChannelWritabilityChanged()
            case .act(let action, let argument):
                act(action, argument)
            }
            try settle()
        }
    }

    /// The other side closes, whatever has been reached.
    mutating func finish() throws {
        _ = try? channel.finish(acceptAlreadyClosed: true)
        try settle()
        if checksOutput { try output.finish() }
    }

    private mutating func settle() throws {
        channel.embeddedEventLoop.run()
        while let written = try channel.readOutbound(as: ByteBuffer.self) {
            guard checksOutput, written.readableBytes > 0 else { continue }
            try output.sent(written.readableBytesView, skipping: expectsPreface ? WireFrame.preface : nil)
            expectsPreface = false
        }
    }
}
