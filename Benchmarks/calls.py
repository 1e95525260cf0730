"""Short calls, and connections."""

import os
import shutil
import socket
import subprocess
import time

from processes import medians, on_processors, run, Server, watch_peak, with_figures
from programs import BENCH, CLIENT, CPP, GO, has, hello_load, hello_server, HELLO_SWIFT, peer_server, PEERS, SERVER
from report import bars, chart, section


def calls(options):
    sections = []
    body = PEERS / "call.body"
    body.write_bytes(b"".join(bytes([0, 0, 0, 0, 2, 8, n]) for n in range(1, 11)))
    docroot = PEERS / "docroot"
    (docroot / "tutorial.NumberService").mkdir(parents=True, exist_ok=True)
    (docroot / "tutorial.NumberService/SumNumbers").write_bytes(bytes([0, 0, 0, 0, 2, 8, 55]))
    processors = sorted(os.sched_getaffinity(0))
    for concurrency, connections in ((64, 1), (1, 1), (64, 8)):
        # Two processes that wake each other share a processor in some runs, in which a call takes a third of the time.
        alone = concurrency == 1 and len(processors) > 1
        with on_processors(processors[:1] if alone else processors):
            opened, tasks = servers_and_loads(options, body, docroot, concurrency, connections)
        with on_processors(processors[1:] if alone else processors):
            results = medians(options.runs, tasks)
        for server in opened:
            server.__exit__()
        ours = results["sum, library and server"]["calls_per_s"]
        rows = [
            [
                name,
                result["calls_per_s"],
                result["p50_us"] or None,
                result["p99_us"] or None,
                ours / result["calls_per_s"],
            ]
            for name, result in results.items()
        ]
        if (concurrency, connections) == (64, 1):
            chart("calls", bars("Calls a second, 64 at once", [(row[0], row[1]) for row in rows]))
        at_once = f"{concurrency} at once" if concurrency > 1 else "one after another"
        over = f"{connections} connections" if connections > 1 else "one connection"
        about = ["Ten numbers in each call."] if not sections else []
        if alone:
            about.append("The server has a processor, and the load has the others.")
        if connections > 1:
            about.append("Both servers have a thread for each core, or one.")
        sections.append(
            section(
                f"Calls, {at_once}, over {over}",
                " ".join(about),
                ["", "calls/s", "median, us", "99 of 100 within, us", "sum is faster by"],
                rows,
                "calls" if not sections else None,
            )
        )
    return "\n\n".join(sections)


def servers_and_loads(options, body, docroot, concurrency, connections):
    """Servers that have been started, and by name the functions that make calls of them."""
    total = options.calls if concurrency > 1 else options.calls // 8

    def h2load(port):
        url = f"http://127.0.0.1:{port}/tutorial.NumberService/SumNumbers"
        return lambda: h2load_figures(run(h2load_command(url, body, total, concurrency // connections, connections)))

    opened = [Server(SERVER)]
    command = [
        BENCH,
        "calls",
        "--port",
        "{port}",
        "--calls",
        str(total),
        "--concurrency",
        str(concurrency),
        "--connections",
        str(connections),
    ]
    tasks = {"sum, library and server": lambda: with_figures(opened[0].load(command))}
    if shutil.which("h2load"):
        tasks["h2load and sum-server"] = h2load(opened[0].port)
        if shutil.which("nghttpd"):
            opened.append(Nghttpd(docroot, os.cpu_count()))
            tasks["h2load and nghttpd"] = h2load(opened[-1].port)
        if connections > 1:
            opened.append(Server(["env", "NIO_SINGLETON_GROUP_LOOP_COUNT=1", *SERVER]))
            tasks["h2load and sum-server, one thread"] = h2load(opened[-1].port)
            if shutil.which("nghttpd"):
                opened.append(Nghttpd(docroot, 1))
                tasks["h2load and nghttpd, one thread"] = h2load(opened[-1].port)
    for name, folder in (("grpc-go", GO), ("gRPC C++", CPP)):
        if has(folder) and connections == 1:
            server = peer_server(folder)
            opened.append(server)
            few = ["--rpcs", str(total // 8), "--concurrency", str(concurrency), "--numbers", "10"]
            tasks[name] = lambda server=server, folder=folder, few=few: with_figures(
                server.load([str(folder / "number-client"), "--port", "{port}", *few])
            )
    if has(HELLO_SWIFT) and connections == 1:
        server = hello_server(HELLO_SWIFT)
        opened.append(server)
        command_swift = hello_load(HELLO_SWIFT, "sum", total // 8, concurrency)
        tasks["grpc-swift-2"] = lambda server=server, command=command_swift: with_figures(server.load(command))
    return opened, tasks


class Nghttpd(Server):
    """nghttpd, which answers every request with a file. Each connection belongs to one of its threads."""

    def __init__(self, docroot, threads):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        options = ["--no-tls", "-a", "127.0.0.1", "-n", str(threads), "-d", str(docroot)]
        self.process = subprocess.Popen(["nghttpd", *options, str(self.port)], stdout=subprocess.DEVNULL)
        wait_for(self.port)


def h2load_command(url, body, calls, concurrency=64, connections=1):
    """h2load as a gRPC client; `concurrency` is of each connection."""
    command = ["h2load", "-n", str(calls), "-c", str(connections), "-m", str(concurrency), "-d", str(body)]
    return [*command, "-H", "content-type: application/grpc", "-H", "te: trailers", url]


def h2load_figures(result):
    line = next(line for line in result["output"].splitlines() if line.startswith("finished in"))
    return {**result, "calls_per_s": float(line.split()[3]), "p50_us": 0.0, "p99_us": 0.0}


def memory(options):
    rows = []
    for count in options.idle:
        with Server(SERVER) as server:
            before = server.pss_kib()
            sockets = [idle_connection(server.port) for _ in range(count)]
            rows.append([f"an idle connection, of {count:,}", (server.pss_kib() - before) / count, "KiB"])
            for each in sockets:
                each.close()
    with Server(SERVER) as server:
        client = watch_peak([BENCH, "stream", "--port", str(server.port), "--count", str(options.long)])
        rows.append([f"the server's peak, {options.long:,} numbers", server.peak_mib(), "MiB"])
        rows.append([f"the client's peak, {options.long:,} numbers", client, "MiB"])
    return section(
        "Memory",
        "An idle connection has made one call. PSS, the rest is resident memory.",
        ["", "", ""],
        rows,
    )


NUMBERS_CALL = (
    b"/tutorial.NumberService/SumNumbers",
    b"".join(bytes([0, 0, 0, 0, 2, 8, n]) for n in (1, 2, 3)),
    bytes([0, 0, 0, 0, 2, 8, 6]),
)


def idle_connection(port, tls=None, call=NUMBERS_CALL):
    """A connection that has made one call, with fields that HPACK leaves as they are.

    `tls` is an SSLContext. `call` is the path, the request, and what the response has in it."""
    path, request, answer = call

    def frame(kind, flags, stream_id, payload):
        return len(payload).to_bytes(3) + bytes([kind, flags]) + stream_id.to_bytes(4) + payload

    def field(name, value):
        return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value

    fields = b"".join(
        field(*pair)
        for pair in (
            (b":method", b"POST"),
            (b":scheme", b"https" if tls else b"http"),
            (b":path", path),
            (b":authority", b"localhost"),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
        )
    )
    connection = socket.create_connection(("127.0.0.1", port))
    if tls:
        connection = tls.wrap_socket(connection, server_hostname="localhost")
    connection.sendall(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        + frame(4, 0, 0, b"")
        + frame(4, 1, 0, b"")
        + frame(1, 4, 1, fields)
        + frame(0, 1, 1, request)
    )
    received = b""
    while answer not in received:
        received += connection.recv(4096)
    return connection


def wait_for(port):
    while True:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.0005)


def start(options):
    def listening(command, waits_for_port=False):
        def task():
            begin = time.perf_counter()
            with Server(command):
                return {"ms": (time.perf_counter() - begin) * 1e3}

        return task

    with Server(SERVER) as server:

        def client():
            begin = time.perf_counter()
            run([CLIENT, "--target", f"127.0.0.1:{server.port}", "1", "2", "3"])
            return {"ms": (time.perf_counter() - begin) * 1e3}

        tasks = {"sum-server listens": listening(SERVER)}
        for name, folder in (("grpc-go", GO), ("gRPC C++", CPP)):
            if has(folder):
                tasks[f"{name}'s server listens"] = listening([str(folder / "number-server"), "--port", "0"])
        tasks["sum-client 1 2 3, from start to exit"] = client
        results = medians(options.runs * 5, tasks)
    return section("Start", "", ["", "ms"], [[name, result["ms"]] for name, result in results.items()])
