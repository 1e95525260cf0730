import ArgumentParser
import SumCore

/// The options that say where to listen.
struct ListenOptions: ParsableArguments {
    @Option(
        number: "The port to listen on; 0 lets the system choose one. (default: \(Target.defaultPort))",
        name: "port")
    var port: UInt16?

    @Option(
        parsing: .unconditional,
        help: "The name or address to listen on. (default: all interfaces, IPv4 and IPv6)")
    var host: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: .init(
            """
            An address to listen on, HOST:PORT, [IPV6]:PORT, *:PORT or unix:PATH, instead of --host and --port; can \
            be repeated.
            """, valueName: "address"),
        transform: { text in try ListenAddress(text) })
    var listen: [ListenAddress] = []

    func validate() throws {
        guard listen.isEmpty || (port == nil && host == nil) else {
            throw ValidationError("--listen takes the place of --host and --port: give one or the other")
        }
        do {
            _ = try all()
        } catch {
            throw ValidationError(error.description)
        }
    }

    func all() throws(InvalidAddress) -> [ListenAddress] {
        guard listen.isEmpty else { return listen }
        let port = port.map(Int.init) ?? Target.defaultPort
        guard let host else { return [.allInterfaces(port: port)] }
        return [try ListenAddress(host: host, port: port)]
    }
}
