"""What TLS costs: the same loads in clear text and over TLS, in turns."""

import atexit
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile

from calls import idle_connection, wait_for
from processes import medians, Server, with_figures
from programs import BENCH, CPP, GO, has, peer_server, PEERS, ROOT, SERVER
from report import section


def make_certificates():
    """The tests' certificates, with ECDSA keys on P-256."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    subprocess.run([ROOT / "Tests/Certificates/make", folder], check=True, capture_output=True)
    return folder


def tls(options):
    folder = make_certificates()
    own = ["--tls-cert", f"{folder}/good.pem", "--tls-key", f"{folder}/good-key.pem"]
    trust = ["--cacert", f"{folder}/ca.pem"]
    return "\n\n".join(
        [loads(options, own, trust), handshakes(options, own, folder), idle(options, own, folder)]
    )


class Nginx(Server):
    """nginx with TLS, which answers everything with the response to a call of 1, 2, 3."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        path = pathlib.Path(folder, "tutorial.NumberService")
        path.mkdir(exist_ok=True)
        (path / "SumNumbers").write_bytes(bytes([0, 0, 0, 0, 2, 8, 6]))
        configuration = pathlib.Path(folder, "nginx.conf")
        configuration.write_text(f"""
            daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr emerg;
            events {{ worker_connections 20000; }}
            http {{
                access_log off;
                server {{
                    listen 127.0.0.1:{self.port} ssl http2;
                    ssl_certificate {folder}/good.pem;
                    ssl_certificate_key {folder}/good-key.pem;
                    root {folder};
                    error_page 405 =200 $uri;
                }}
            }}""")
        self.process = subprocess.Popen(
            ["nginx", "-e", "stderr", "-p", folder, "-c", configuration], stdin=subprocess.DEVNULL
        )
        wait_for(self.port)


def loads(options, own, trust):
    """A stream, and calls, by each implementation with its own client and server."""
    count, few = options.numbers, options.numbers // 500
    with Server(SERVER) as clear, Server([*SERVER, *own]) as secure:
        opened, streams, calls = [], {}, {}

        def add(name, server, stream, call):
            streams[name] = lambda: with_figures(server.load(stream))
            calls[name] = lambda: with_figures(server.load(call))

        for name, server, extra in (("sum", clear, []), ("sum, TLS", secure, trust)):
            add(
                name,
                server,
                [BENCH, "stream", "--port", "{port}", "--count", str(count), *extra],
                [BENCH, "calls", "--port", "{port}", "--calls", str(options.calls), *extra],
            )
        for peer, binaries in (("grpc-go", GO), ("gRPC C++", CPP)):
            if not has(binaries):
                continue
            for name, secured, extra in ((peer, [], []), (f"{peer}, TLS", own, trust)):
                server = peer_server(binaries, *secured)
                opened.append(server)
                client = [str(binaries / "number-client"), "--port", "{port}", *extra]
                add(
                    name,
                    server,
                    [*client, "--count", str(few)],
                    [*client, "--rpcs", str(options.calls // 8), "--concurrency", "64", "--numbers", "10"],
                )
        stream_results, call_results = medians(options.runs, streams), medians(options.runs, calls)
        for server in opened:
            server.__exit__()

    def cost(results, name, ours, theirs):
        result = results[name]
        return (result["cpu"] + result["server_cpu"]) / (ours if name.startswith("sum") else theirs)

    rows = []
    for name in streams:
        number = cost(stream_results, name, count, few)
        call = cost(call_results, name, options.calls, options.calls // 8)
        base = name.removesuffix(", TLS")
        rows.append(
            [
                name,
                number * 1e9,
                number / cost(stream_results, base, count, few),
                call * 1e6,
                call / cost(call_results, base, options.calls, options.calls // 8),
            ]
        )
    return section(
        "TLS",
        "CPU of both ends, with TLS 1.3 and AES-GCM: a long stream, and calls of ten numbers, 64 at once.",
        ["", "ns a number", "to clear text", "us a call", "to clear text"],
        rows,
    )


def handshakes(options, own, folder):
    """New connections, with one call each. The client is h2load."""
    if not shutil.which("h2load"):
        return ""
    count = 500
    body = PEERS / "call.body"
    body.write_bytes(b"".join(bytes([0, 0, 0, 0, 2, 8, n]) for n in range(1, 11)))
    servers = {"sum-server, clear text": Server(SERVER), "sum-server, TLS": Server([*SERVER, *own])}
    for name, binaries in (("grpc-go, TLS", GO), ("gRPC C++, TLS", CPP)):
        if has(binaries):
            servers[name] = peer_server(binaries, *own)
    if shutil.which("nginx"):
        servers["nginx, TLS"] = Nginx(folder)

    def load(name, server):
        scheme = "https" if name.endswith("TLS") else "http"
        command = ["h2load", "-n", str(count), "-c", str(count), "-m", "1", "-d", str(body)]
        for field in ("content-type: application/grpc", "te: trailers"):
            command += ["-H", field]
        return server.load([*command, f"{scheme}://127.0.0.1:{{port}}/tutorial.NumberService/SumNumbers"])

    tasks = {
        name: lambda name=name, server=server: load(name, server) for name, server in servers.items()
    }
    results = medians(options.runs, tasks)
    for server in servers.values():
        server.__exit__()
    return section(
        "New connections",
        f"{count} at once by h2load, with one call each; ECDSA keys on P-256, nothing resumed.",
        ["", "CPU of the server, ms a connection"],
        [[name, result["server_cpu"] / count * 1e3] for name, result in results.items()],
    )


def idle(options, own, folder):
    context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    context.set_alpn_protocols(["h2"])
    count = options.idle[0]
    rows = []
    for name, server, used in [
        ("sum-server, clear text", Server(SERVER), None),
        ("sum-server, TLS", Server([*SERVER, *own]), context),
        *([("grpc-go, TLS", peer_server(GO, *own), context)] if has(GO) else []),
        *([("gRPC C++, TLS", peer_server(CPP, *own), context)] if has(CPP) else []),
        *([("nginx, TLS", Nginx(folder), context)] if shutil.which("nginx") else []),
    ]:
        with server:
            idle_connection(server.port, used).close()
            before = server.pss_kib()
            sockets = [idle_connection(server.port, used) for _ in range(count)]
            rows.append([name, (server.pss_kib() - before) / count])
            for each in sockets:
                each.close()
    return section(
        "Idle connections",
        f"{count:,} connections that have made one call each.",
        ["", "KiB a connection"],
        rows,
    )
