import Foundation

/// HAProxy where no other test listens: it forwards connections to a server, and tells it by the PROXY protocol whose
/// they are.
final class ForwardingProxy {
    let address =
        "127.\(Int.random(in: 16...254)).\(Int.random(in: 0...254)).\(Int.random(in: 1...254)):50051"
    private let process: Process
    private let configuration = Tool.temporaryPath()

    /// Starts it; it listens a little later.
    ///
    /// - Parameters:
    ///   - server: in HAProxy's syntax, such as `127.0.0.1:50051` or `unix@/run/sum.sock`.
    ///   - option: `send-proxy`, or `send-proxy-v2`.
    init(before server: String, _ option: String) throws {
        let text = """
            listen sum
                mode tcp
                timeout connect 60s
                timeout client 60s
                timeout server 60s
                bind \(address)
                server a \(server) \(option)

            """
        try Data(text.utf8).write(to: URL(filePath: configuration))
        process = Tool.process(Proxy.haproxy.program, ["-db", "-f", configuration])
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: configuration)
    }
}
