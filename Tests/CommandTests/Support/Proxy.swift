import Foundation

/// nginx and HAProxy from Debian's packages, and Envoy from PyPI.
enum Proxy: String, CaseIterable, Sendable {
    case nginx, haproxy, envoy

    static let installed = allCases.filter(\.isInstalled)

    var program: String {
        self == .envoy ? DeployTools.folder.appending(path: "envoy/_bin/envoy").path : "/usr/sbin/\(rawValue)"
    }
    var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }

    /// The configuration that is shipped for clear text.
    var configuration: URL { Repository.root.appending(path: "docs/deploy/\(configurationName)") }

    /// The configuration that is shipped for TLS with client certificates.
    var tlsConfiguration: URL { Repository.root.appending(path: "docs/deploy/tls/\(configurationName)") }

    private var configurationName: String {
        switch self {
        case .nginx: "nginx.conf"
        case .haproxy: "haproxy.cfg"
        case .envoy: "envoy.yaml"
        }
    }

    /// The addresses in these configurations: the proxy's own, and those of the two servers.
    var addresses: [String] {
        guard self == .envoy else { return ["*:50051", "127.0.0.1:50052", "127.0.0.1:50053"] }
        return [("0.0.0.0", 50051), ("127.0.0.1", 50052), ("127.0.0.1", 50053)].map { address, port in
            "{socket_address: {address: \(address), port_value: \(port)}}"
        }
    }

    /// The proxy's syntax for the address of a server, `IPV4:PORT`.
    func host(_ address: String) -> String {
        guard self == .envoy else { return address }
        let parts = address.split(separator: ":")
        return "{socket_address: {address: \(parts[0]), port_value: \(parts[1])}}"
    }

    /// The proxy's syntax for the address of a Unix domain socket.
    func socket(_ path: String) -> String {
        switch self {
        case .nginx: "unix:\(path)"
        case .haproxy: "unix@\(path)"
        case .envoy: "{pipe: {path: \(path)}}"
        }
    }

    /// The name of the file into which the shipped configuration is copied. Envoy tells its format by the extension.
    var copy: String { self == .envoy ? "shipped.yaml" : "shipped" }

    /// The arguments for one process in the foreground that writes only in `directory`.
    func arguments(_ directory: URL) -> [String] {
        switch self {
        case .nginx:
            ["-e", "stderr", "-p", directory.path, "-c", directory.appending(path: "main.conf").path]
        case .haproxy: ["-db", "-f", directory.appending(path: copy).path]
        case .envoy:
            // Hot restart would need a name that no other Envoy has.
            [
                "--disable-hot-restart", "--concurrency", "1", "--log-level", "off",
                "-c", directory.appending(path: copy).path,
            ]
        }
    }

    /// The arguments that make it check its configuration and exit.
    var checkArguments: [String] {
        switch self {
        case .nginx: ["-t"]
        case .haproxy: ["-c"]
        case .envoy: ["--mode", "validate"]
        }
    }

    /// Includes the shipped file, as Debian's `/etc/nginx/nginx.conf` does.
    static let nginxMain = """
        daemon off;
        master_process off;
        pid pid;
        error_log stderr emerg;
        events {}
        http {
            access_log off;
            client_body_temp_path body;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;
            include shipped;
        }

        """
}
