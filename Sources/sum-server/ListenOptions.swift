import ArgumentParser
import SumCore

/// The options that say where to listen.
struct ListenOptions: ParsableArguments {
    @Option(help: "The port to listen on; 0 lets the system choose one. (default: \(Target.defaultPort))")
    var port: UInt16?

    @Option(help: "The name or address to listen on. (default: all interfaces, IPv4 and IPv6)")
    var host: String?

    @Option(
        help: .init(
            "An address to listen on, HOST:PORT or unix:PATH, instead of --host and --port; can be repeated.",
            valueName: "address"))
    var listen: [ListenAddress] = []

    func validate() throws {
        guard listen.isEmpty || (port == nil && host == nil) else {
            throw ValidationError("--listen takes the place of --host and --port: give one or the other")
        }
    }

    func all() -> [ListenAddress] {
        guard listen.isEmpty else { return listen }
        let port = port.map(Int.init) ?? Target.defaultPort
        return [host.map { .host($0, port: port) } ?? .allInterfaces(port: port)]
    }
}
