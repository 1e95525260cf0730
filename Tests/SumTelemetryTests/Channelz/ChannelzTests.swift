import ChannelzMessages
import FoundationEssentials
import Testing

@testable import SumCore
@testable import SumTelemetry

@Suite(.timeLimit(.minutes(10))) struct ChannelzTests {
    @Test(
        "Addresses as bytes; an IPv4-mapped one has four",
        arguments: [
            ("127.0.0.1:80", [127, 0, 0, 1], 80), ("[::ffff:10.0.0.1]:443", [10, 0, 0, 1], 443),
            ("[2001:db8::1]:65535", [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 65_535),
        ] as [(String, [UInt8], Int32)])
    func addresses(_ text: String, _ bytes: [UInt8], _ port: Int32) {
        let address = Grpc_Channelz_V1_Address(text)
        #expect(Array(address.tcpipAddress.ipAddress) == bytes)
        #expect(address.tcpipAddress.port == port)
    }

    @Test("Paths, and what is no address")
    func otherAddresses() {
        #expect(Grpc_Channelz_V1_Address("unix:/run/a.sock").udsAddress.filename == "/run/a.sock")
        #expect(Grpc_Channelz_V1_Address("unix:").address == .udsAddress(.init()))
        for text in ["", "sum.example:1", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536"] {
            #expect(Grpc_Channelz_V1_Address(text).otherAddress.name == text)
        }
    }

    @Test("Pages of connections are in order, and the last says so")
    func pages() {
        let channelz = Channelz(name: "a")
        let connections = (0..<5).map { index in channelz.connectionOpened(Peer(address: "unix:\(index)")) }
        defer { withExtendedLifetime(connections) {} }
        let (first, isLast) = channelz.page(from: 0, limit: 2)
        #expect(!isLast)
        #expect(first.map(\.ref.name) == ["unix:0", "unix:1"])
        let (rest, isEnd) = channelz.page(from: (first.last?.id ?? 0) + 1, limit: 3)
        #expect(isEnd)
        #expect(rest.map(\.ref.name) == ["unix:2", "unix:3", "unix:4"])
        #expect(Set((first + rest).map(\.id) + [channelz.id]).count == 6)
        for socket in rest { channelz.remove(socket) }
        #expect(channelz.page(from: 0, limit: 9).page.count == 2)
        #expect(channelz.socket(rest[0].id) == nil)
    }

    @Test("What is known of a connection with TLS")
    func security() throws {
        let channelz = Channelz(name: "a")
        let peer = Peer(address: "127.0.0.1:1", tlsVersion: .tls13)
        let connection = try #require(channelz.connectionOpened(peer))
        connection.keepaliveSent()
        connection.messagesReceived(3, of: ServerCallStart(peer: peer, path: SumNumbers.path))
        let id = try #require(channelz.page(from: 0, limit: 1).page.first).id
        let socket = try #require(channelz.socket(id))
        #expect(socket.security.tls.otherName == "TLSv1.3")
        #expect(socket.data.keepAlivesSent == 1)
        #expect(socket.data.messagesReceived == 3)
        #expect(socket.data.hasLastMessageReceivedTimestamp)
        #expect(!socket.data.hasLastMessageSentTimestamp)
    }
}
