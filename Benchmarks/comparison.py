"""The programs of docs/comparison.md, which are the same service on several libraries."""

import shutil
import time

from calls import h2load_command, h2load_figures, idle_connection
from processes import medians, run, with_figures
from programs import has, HELLO, HELLO_GO, HELLO_SWIFT, hello_load, hello_server, PEERS, ROOT
from report import section, skipped

HELLO_CALL = (b"/hello.v1.Greeter/SayHello", b"\0\0\0\0\7\n\5world", b"\0\0\0\0\17\n\15Hello, world!")
SOURCES = {
    "SumCore": "Benchmarks/Sources/hello-{side}/main.swift",
    "grpc-swift-2": "Benchmarks/peers/hello/grpc-swift/Sources/hello-{side}/main.swift",
    "grpc-go": "Benchmarks/peers/hello/go/{side}/main.go",
}


def comparison(options):
    folders = {"SumCore": HELLO, "grpc-swift-2": HELLO_SWIFT, "grpc-go": HELLO_GO, **options.peers}
    missing = [name for name, folder in folders.items() if not (folder / "hello-server").exists()]
    for name in missing:
        del folders[name]
        skipped(f"The same service on {name}", name)
    body = PEERS / "hello.body"
    body.write_bytes(HELLO_CALL[1])
    servers = {name: hello_server(folder) for name, folder in folders.items()}
    numbers = options.numbers // 500

    def load(name, *words):
        command = hello_load(folders[name], *words)
        return lambda: with_figures(servers[name].load(command))

    def common(name):
        url = f"http://127.0.0.1:{servers[name].port}{HELLO_CALL[0].decode()}"
        return lambda: h2load_figures(run(h2load_command(url, body, options.calls // 4)))

    memory = {name: server_memory(options, server) for name, server in servers.items()}
    hello = medians(options.runs, {name: load(name, "hello", options.calls // 4) for name in folders})
    lone = medians(options.runs, {name: load(name, "hello", options.calls // 20, 1) for name in folders})
    stream = medians(options.runs, {name: load(name, "sum", 1, 1, numbers) for name in folders})
    foreign = medians(options.runs, {name: common(name) for name in folders}) if shutil.which("h2load") else {}
    start = medians(options.runs, {name: started(folder) for name, folder in folders.items()})
    for server in servers.values():
        server.__exit__()

    names = list(folders)

    def row(label, value):
        return [label, *(value(name) for name in names)]

    def cpu(results, name, count):
        return (results[name]["cpu"] + results[name]["server_cpu"]) / count

    rows = [
        row("lines of the server and the client", lambda name: lines(name)),
        row("`SayHello`, 64 at once: calls/s", lambda name: hello[name]["calls_per_s"]),
        row("CPU of both ends, us a call", lambda name: cpu(hello, name, options.calls // 4) * 1e6),
        row("the server with h2load, 64 at once: calls/s", lambda name: foreign.get(name, {}).get("calls_per_s")),
        row("a lone call, median, us", lambda name: lone[name]["p50_us"]),
        row(f"`SumNumbers`, {numbers:,} numbers: million/s", lambda name: numbers / stream[name]["elapsed_s"] / 1e6),
        row("CPU of both ends, ns a number", lambda name: cpu(stream, name, numbers) * 1e9),
        row("the server listens after, ms", lambda name: start[name]["ms"]),
        row("its memory after the start, MiB", lambda name: memory[name][0] / 1024),
        row("an idle connection, KiB", lambda name: memory[name][1]),
    ]
    text = "Peers that were not built are left out." if missing else ""
    return section("The same service", text, ["", *names], rows)


def server_memory(options, server):
    """KiB of a server that has just started, and of each connection."""
    start = server.pss_kib()
    idle_connection(server.port, call=HELLO_CALL).close()
    before, count = server.pss_kib(), options.idle[0]
    connections = [idle_connection(server.port, call=HELLO_CALL) for _ in range(count)]
    after = server.pss_kib()
    for each in connections:
        each.close()
    return start, (after - before) / count


def started(folder):
    def task():
        begin = time.perf_counter()
        with hello_server(folder):
            return {"ms": (time.perf_counter() - begin) * 1e3}

    return task


def lines(name):
    """Lines with code."""
    if name not in SOURCES:
        return None
    texts = [(ROOT / SOURCES[name].format(side=side)).read_text() for side in ("server", "client")]
    code = [line for text in texts for line in text.splitlines() if line.strip() and not line.strip().startswith("//")]
    return str(len(code))
