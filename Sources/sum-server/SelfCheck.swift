import Glibc
import SumCore
import SumTelemetry
import SystemPackage

/// What `--check` does: asks a server that was started with the same options how it is, for the probes of containers.
enum SelfCheck {
    struct Failure: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    /// Less than the probes of containers wait.
    private static let timeout = Duration.seconds(2)
    private static let connectTimeout = Duration.seconds(1)
    private static let fileLimit = 1 << 20

    /// The command line of the server that is the first process of this container; nil if it is another program.
    static func wordsOfFirstProcess() -> [String]? {
        guard let bytes = try? SmallFile.read("/proc/1/cmdline", limit: fileLimit) else { return nil }
        return serverWords(in: bytes)
    }

    /// - Parameter bytes: as in /proc/PID/cmdline. There may be an init process in front, as in `docker run --init`.
    static func serverWords(in bytes: [UInt8]) -> [String]? {
        let words = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
        guard let start = words.firstIndex(where: { $0.split(separator: "/").last == "sum-server" }) else {
            return nil
        }
        return Array(words[(start + 1)...])
    }

    /// - Returns: an address at which the server speaks clear text.
    static func target(of settings: ServerSettings) throws -> Target {
        let requests =
            settings.listen.isEmpty ? [.address(.allInterfaces(port: Target.defaultPort))] : settings.listen
        let addresses = requests.compactMap { request in
            if case .address(let address) = request { address } else { nil }
        }
        guard let address = addresses.first(where: { $0.isUnix || settings.tls == nil }) else {
            throw Failure(
                description: addresses.isEmpty
                    ? "cannot know the sockets that systemd passes: ask with sum-client --health"
                    : "every address speaks TLS: add --listen unix:PATH, or ask /readyz of --metrics-listen")
        }
        switch address {
        case .unix(let path): return try Target("unix:\(path)")
        case .allInterfaces(let port): return try target("127.0.0.1", port)
        case .host(let host, let port): return try target(host, port)
        case .inherited: throw Failure(description: "cannot connect to an inherited socket")
        }
    }

    private static func target(_ host: String, _ port: Int) throws -> Target {
        guard port != 0 else {
            throw Failure(description: "cannot know the port that the system chose: give one to --port")
        }
        return try Target(
            host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)")
    }

    /// Prints the answer, and exits with 0 if the server serves.
    static func run(_ settings: ServerSettings) -> Never {
        let target: Target
        do {
            target = try self.target(of: settings)
        } catch {
            SumServer.fail("\(error)", 1)
        }
        Task.detached {
            do throws(GRPCStatus) {
                let health = try await ask(target)
                LineWriter.standardOutput.write("\(health)\n")
                SumServer.end(health == "SERVING" ? 0 : 1)
            } catch {
                SumServer.fail("\(error)", 1)
            }
        }
        while true { pause() }
    }

    private static func ask(_ target: Target) async throws(GRPCStatus) -> String {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = connectTimeout
        configuration.proxy = .none
        let client = GRPCClient(target: target, configuration: configuration)
        do throws(GRPCStatus) {
            return try await client.checkHealth(options: .init(timeout: timeout)).rawValue
        } catch {
            switch error.code {
            // A server that refuses to say how it is, or has no health service, has answered.
            case .unimplemented, .unauthenticated, .permissionDenied: return "SERVING"
            default: throw error
            }
        }
    }
}
