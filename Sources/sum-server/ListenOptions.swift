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
            Address to listen on, instead of --host and --port: HOST:PORT, [IPV6]:PORT, *:PORT or unix:PATH. Can be \
            repeated.
            """, valueName: "address"),
        transform: { text in try ListenAddress(text) })
    var listen: [ListenAddress] = []

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

    func all() throws(InvalidAddress) -> [ListenAddress] {
        guard listen.isEmpty else { return listen }
        let port = port.map(Int.init) ?? Target.defaultPort
        guard let host else { return [.allInterfaces(port: port)] }
        return [try ListenAddress(host: host, port: port)]
    }
}
