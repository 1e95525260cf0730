internal import ChannelzMessages
internal import FoundationEssentials
internal import SumCore
internal import SwiftProtobuf
internal import Synchronization

/// A connection of a server, as channelz tells of it. Counts on the connection's event loop, and is read anywhere.
final class ChannelzSocket: ServerConnectionObserver, Sendable {
    let id = Channelz.makeID()
    let observesCalls = true
    let observesMessages = true
    private let peer: Peer
    private let channelz: Channelz
    private let streams = ChannelzCounts()
    private let messagesSent = Atomic<Int64>(0)
    private let messagesReceived = Atomic<Int64>(0)
    private let keepalivesSent = Atomic<Int64>(0)
    private let lastSent = ChannelzMoment()
    private let lastReceived = ChannelzMoment()

    init(_ peer: Peer, of channelz: Channelz) {
        (self.peer, self.channelz) = (peer, channelz)
    }

    func callBegan(_ call: ServerCallStart) -> (any ServerCallObserver)? {
        streams.start()
        channelz.calls.start()
        return nil
    }

    func messagesReceived(_ count: Int64, of call: ServerCallStart) {
        messagesReceived.wrappingAdd(count, ordering: .relaxed)
        lastReceived.pass()
    }

    func callEnded(_ call: ServerCallRecord) {
        if call.messages.sent > 0 {
            messagesSent.wrappingAdd(call.messages.sent, ordering: .relaxed)
            lastSent.pass()
        }
        // A stream has succeeded if it ended with a status, whatever that is.
        streams.end(hasSucceeded: call.wasAnswered)
        channelz.calls.end(hasSucceeded: call.status.isOK)
    }

    func keepaliveSent() {
        keepalivesSent.wrappingAdd(1, ordering: .relaxed)
    }

    func closed(_ connection: ServerConnectionRecord) {
        channelz.remove(self)
    }

    // MARK: Reading

    var ref: Grpc_Channelz_V1_SocketRef {
        .with { ref in
            ref.socketID = id
            ref.name = peer.description
        }
    }

    var message: Grpc_Channelz_V1_Socket {
        .with { socket in
            socket.ref = ref
            socket.data = data
            socket.remote = .init(peer.address)
            // NIOSSL does not tell which cipher suite is used.
            if let version = peer.tlsVersion { socket.security.tls.otherName = version.rawValue }
        }
    }

    private var data: Grpc_Channelz_V1_SocketData {
        .with { data in
            let counts = streams.read()
            data.streamsSucceeded = counts.succeeded
            data.streamsFailed = counts.failed
            data.streamsStarted = counts.started
            if let time = counts.lastStarted { data.lastRemoteStreamCreatedTimestamp = time }
            data.messagesSent = messagesSent.load(ordering: .relaxed)
            data.messagesReceived = messagesReceived.load(ordering: .relaxed)
            if let time = lastSent.timestamp { data.lastMessageSentTimestamp = time }
            if let time = lastReceived.timestamp { data.lastMessageReceivedTimestamp = time }
            data.keepAlivesSent = keepalivesSent.load(ordering: .relaxed)
        }
    }
}

extension Grpc_Channelz_V1_Address {
    /// - Parameter address: as in `Peer.address`.
    init(_ address: String) {
        self.init()
        if address.hasPrefix("unix:") {
            udsAddress.filename = String(address.dropFirst("unix:".count))
        } else if let ip = Peer(address: address).ipAddress, let colon = address.lastIndex(of: ":"),
            let port = UInt16(address[address.index(after: colon)...])
        {
            tcpipAddress.ipAddress = Data(ip.bytes)
            tcpipAddress.port = Int32(port)
        } else {
            otherAddress.name = address
        }
    }
}
