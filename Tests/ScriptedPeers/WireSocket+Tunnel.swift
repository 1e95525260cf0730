import Foundation

/// What a script needs to be an HTTP proxy.
extension WireSocket {
    /// Receives the head of an HTTP/1 request with its blank line. Nothing may follow it before it is answered.
    public func receiveHead() throws -> String {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            let more = try receiveBytes()
            guard !more.isEmpty else { throw Failure(description: "the request ended before its blank line") }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    public func send(text: String) throws {
        try send(bytes: Array(text.utf8))
    }

    /// Carries bytes between the other side and a server, such as `127.0.0.1:50051`, until both have closed.
    public func carry(to server: String) throws {
        let upstream = try Self.connect(to: server)
        let answers = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [descriptor] in
            Self.carry(upstream, descriptor)
            answers.signal()
        }
        Self.carry(descriptor, upstream)
        answers.wait()
        close(upstream)
    }

    private static func carry(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = recv(from, &buffer, buffer.count, 0), count > 0 {
            var sent = 0
            while sent < count {
                let more = buffer.withUnsafeBytes {
                    Glibc.send(
                        to, $0.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
                }
                guard more > 0 else { break }
                sent += more
            }
            guard sent == count else { break }
        }
        shutdown(to, Int32(SHUT_WR))
    }
}
