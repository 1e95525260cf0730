import Foundation

/// A proxy from Debian's packages.
enum Proxy: String, CaseIterable, Sendable {
    case nginx, haproxy

    var program: String { "/usr/sbin/\(rawValue)" }
    var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }

    /// The configuration that is shipped.
    var configuration: URL {
        let name = self == .nginx ? "nginx.conf" : "haproxy.cfg"
        return Repository.root.appending(path: "docs/deploy/\(name)")
    }

    /// The proxy's syntax for the address of a Unix domain socket.
    func socket(_ path: String) -> String {
        self == .nginx ? "unix:\(path)" : "unix@\(path)"
    }

    /// The arguments for one process in the foreground that writes only in `directory`.
    func arguments(_ directory: URL) -> [String] {
        switch self {
        case .nginx:
            ["-e", "stderr", "-p", directory.path, "-c", directory.appending(path: "main.conf").path]
        case .haproxy: ["-db", "-f", directory.appending(path: "shipped").path]
        }
    }

    /// The argument that makes it check its configuration and exit.
    var checkArgument: String { self == .nginx ? "-t" : "-c" }

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
