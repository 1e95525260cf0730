import Foundation

/// A blocking TCP socket that sends and receives frames. Each frame leaves at once. Receiving fails after a minute.
public final class WireSocket {
    let descriptor: Int32
    let reader: WireReader
    private var frames: [WireFrame] = []
    private var tls: WireTLS?

    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    /// - Parameter isServer: whether the other side is the client.
    init(descriptor: Int32, isServer: Bool) {
        self.descriptor = descriptor
        reader = WireReader(ofClient: isServer)
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        var isWanted: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isWanted, socklen_t(MemoryLayout<Int32>.size))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Connects to a server, such as `127.0.0.1:50051`, without sending anything.
    ///
    /// - Parameter source: our own address, of the many that the loopback interface has.
    public convenience init(connectingTo address: String, from source: String = "127.0.0.1") throws {
        self.init(descriptor: try Self.connect(to: address, from: source), isServer: false)
    }

    static func connect(to address: String, from source: String = "127.0.0.1") throws -> Int32 {
        let parts = address.split(separator: ":")
        guard let host = parts.first, let port = parts.last.flatMap({ UInt16($0) }) else {
            throw Failure(description: "not an address with a port: \(address)")
        }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard withIPv4Address(source, port: 0, { bind(descriptor, $0, $1) }) == 0,
            withIPv4Address(String(host), port: port, { Glibc.connect(descriptor, $0, $1) }) == 0
        else {
            defer { Glibc.close(descriptor) }
            throw Failure(description: "connect: \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    deinit {
        Glibc.close(descriptor)
    }

    // MARK: TLS

    /// Shakes hands as a client that believes every server, before anything else is sent. The socket must then stay on
    /// this thread.
    ///
    /// - Parameter isSingly: whether each byte of the handshake leaves in a segment of its own.
    public func secure(singly isSingly: Bool = false) throws {
        let tls = try WireTLS()
        while true {
            let records = try tls.takeRecords()
            try isSingly ? sendSingly(records) : sendUnencrypted(records)
            guard tls.isHandshaking else { break }
            let answer = try receiveUnencrypted()
            guard !answer.isEmpty else { throw Failure(description: "closed in the TLS handshake") }
            try tls.receive(answer)
        }
        self.tls = tls
    }

    /// The first message of a TLS client, in one record.
    public static func clientHello() throws -> [UInt8] {
        try WireTLS().takeRecords()
    }

    // MARK: Sending

    public func send(_ frames: WireFrame...) throws {
        try send(bytes: frames.flatMap(\.bytes))
    }

    /// Over TLS, the bytes leave in records of their own.
    public func send(bytes: [UInt8]) throws {
        try sendUnencrypted(tls?.records(of: bytes) ?? bytes)
    }

    /// Sends bytes as they are, also over TLS.
    public func sendUnencrypted(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "send: \(String(cString: strerror(errno)))") }
            sent += count
        }
    }

    /// Sends each byte in a segment of its own.
    public func sendSingly(_ bytes: [UInt8]) throws {
        for byte in bytes { try send(bytes: [byte]) }
    }

    /// Sends each byte in a record of its own, over TLS.
    public func sendInSmallRecords(_ bytes: [UInt8]) throws {
        guard let tls else { throw Failure(description: "the connection has no TLS") }
        try sendUnencrypted(try bytes.flatMap { try tls.records(of: [$0]) })
    }

    /// Shuts down our side of TCP; the other side can still send.
    public func endSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes the connection with a TCP reset, which drops what the other side has not read.
    public func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    // MARK: Receiving

    /// - Returns: the next frame, or nil if the other side has closed the connection.
    public func receive() throws -> WireFrame? {
        while frames.isEmpty {
            let bytes = try receiveBytes()
            if bytes.isEmpty { return nil }
            frames = reader.read(bytes)
        }
        return frames.removeFirst()
    }

    /// Skips other frames.
    ///
    /// - Returns: the next frame of the kind, or nil if the other side has closed the connection.
    public func receive(_ kind: WireFrame.Kind, ack: Bool = false) throws -> WireFrame? {
        try receive { $0.kind == kind && $0.isAck == ack }
    }

    /// The same for the next frame that `isWanted`.
    public func receive(where isWanted: (WireFrame) -> Bool) throws -> WireFrame? {
        while let frame = try receive() {
            if isWanted(frame) { return frame }
        }
        return nil
    }

    /// - Returns: all frames until the other side closes the connection.
    public func receiveAll() throws -> [WireFrame] {
        var all: [WireFrame] = []
        while let frame = try receive() { all.append(frame) }
        return all
    }

    /// - Returns: bytes as they arrive; none if the other side has closed or reset the connection.
    public func receiveBytes() throws -> [UInt8] {
        guard let tls else { return try receiveUnencrypted() }
        while true {
            let bytes = tls.takePlaintext()
            guard bytes.isEmpty else { return bytes }
            let records = try receiveUnencrypted()
            guard !records.isEmpty else { return [] }
            try tls.receive(records)
        }
    }

    /// Waits for the next byte or the end.
    ///
    /// - Returns: whether the other side has reset the connection. It does if it closes before it has read everything.
    public func isReset() -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) < 0 && errno == ECONNRESET
    }

    private func receiveUnencrypted() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 || errno == ECONNRESET else {
            throw Failure(description: "nothing came: \(String(cString: strerror(errno)))")
        }
        return Array(buffer.prefix(max(count, 0)))
    }
}

/// Passes the address of a port of 127.0.0.1 to C.
func withLoopbackAddress<Result>(
    port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    withIPv4Address("127.0.0.1", port: port, body)
}

/// The same for another address.
func withIPv4Address<Result>(
    _ host: String, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, host, &address.sin_addr)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
