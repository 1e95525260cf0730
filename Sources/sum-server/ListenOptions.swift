import ArgumentParser
import SumCore

/// The options for the addresses to listen on.
struct ListenOptions: ParsableArguments {
    @Option(
        number: "Port to listen on; 0 lets the system choose one. (default: \(Target.defaultPort))",
        name: "port")
    var port: UInt16?

    @Option(
        parsing: .unconditional,
        help: "Name or address to listen on. (default: all interfaces, IPv4 and IPv6)")
    var host: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: .init(
            """
            Address to listen on, instead of --host and --port: HOST:PORT, [IPV6]:PORT, *:PORT, unix:PATH, or systemd, \
            or systemd:NAME, for the sockets that systemd passes, or those of one name. Can be repeated.
            """, valueName: "address"),
        transform: { text in try ListenRequest(text) })
    var listen: [ListenRequest] = []

    func validate() throws {
        guard listen.isEmpty || (port == nil && host == nil) else {
            throw ValidationError("--listen replaces --host and --port: give one or the other")
        }
        do {
            _ = try all()
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// - Returns: nothing if nothing is said.
    func all() throws(InvalidAddress) -> [ListenRequest] {
        try Self.all(listen, host: host, port: port)
    }

    /// What `--listen` says, or the other two.
    static func all(
        _ listen: [ListenRequest], host: String?, port: UInt16?
    ) throws(InvalidAddress) -> [ListenRequest] {
        guard listen.isEmpty, port != nil || host != nil else { return listen }
        let port = port.map(Int.init) ?? Target.defaultPort
        guard let host else { return [.address(.allInterfaces(port: port))] }
        return [.address(try ListenAddress(host: host, port: port))]
    }
}
