#!/usr/bin/env python3
"""Measures sum-server, sum-client and the library beside their peers, in one run; prints the tables, and with
--write puts them and the charts into docs/performance.md. `make bench` builds what this runs.

Every figure is the median of some runs, which take turns with those they are compared to."""

import argparse
import os
import pathlib
import platform
import random
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time

import report
from processes import Server, figures, medians, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / ".build/bench"
SERVER = [str(ROOT / ".build/release/sum-server"), "--host", "127.0.0.1", "--port", "0", "--overflow", "wrap"]
CLIENT = str(ROOT / ".build/release/sum-client")
BENCH = str(ROOT / "Benchmarks/.build/release/sum-bench")
CHARTS = ROOT / "docs/performance"
GO, CPP = PEERS / "go", PEERS / "cpp"
ONES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def frames_size(count):
    """Bytes of the messages 1...count."""
    size, low = 0, 1
    for length, limit in ((7, 1 << 7), (8, 1 << 14), (9, 1 << 21), (10, 1 << 28), (11, 1 << 31)):
        size += length * max(0, min(count, limit - 1) - low + 1)
        low = limit
    return size


def peer_server(folder, *options):
    return Server([str(folder / "number-server"), "--port", "0", *options])


def has(folder):
    return (folder / "number-client").exists()


def with_figures(result):
    return {**result, **figures(result["output"])}


# The measures. Each gives a section of the page.


def stream(options):
    count, few = options.numbers, options.numbers // 500
    with Server(SERVER) as ours:
        servers = [ours]

        def library():
            return with_figures(ours.load([BENCH, "stream", "--port", "{port}", "--count", str(count)]))

        def limit():
            result = with_figures(run([str(PEERS / "limit"), str(frames_size(count))]))
            return {**result, "numbers_per_s": count / result["seconds"], "server_cpu": 0}

        tasks = {"sum, library": library, "the same bytes, bare loopback": limit}
        for name, folder, extra in (("grpc-go", GO, []), ("gRPC C++", CPP, ["--sync"])):
            if has(folder):
                server = peer_server(folder, *extra)
                servers.append(server)
                command = [str(folder / "number-client"), "--port", str(server.port), "--count", str(few), *extra]
                tasks[name] = lambda server=server, command=command: with_figures(server.load(command))
        results = medians(options.runs, tasks)
        for server in servers[1:]:
            server.__exit__()
    counts = {name: few if name.startswith("g") else count for name in results}
    ours = results["sum, library"]["numbers_per_s"]
    rows = [
        [name, result["numbers_per_s"] / 1e6, (result["cpu"] + result["server_cpu"]) / counts[name] * 1e9,
         ours / result["numbers_per_s"]]
        for name, result in results.items()
    ]
    chart("stream", report.bars("One stream: million numbers a second", [(row[0], row[1]) for row in rows]))
    return section(
        "One stream, from a generator", f"The numbers 1 to {count:,} in one call; the peers send {few:,}.",
        ["", "million numbers/s", "CPU of both ends, ns a number", "sum is faster by"], rows, "stream")


def foreign(options):
    """What a foreign client costs the two servers: one message in a frame."""
    if not has(CPP):
        return skipped("A foreign client's stream", "gRPC C++")
    count = options.numbers // 500
    with Server(SERVER) as ours, peer_server(CPP, "--sync") as theirs:
        command = [str(CPP / "number-client"), "--port", "{port}", "--count", str(count), "--sync"]
        results = medians(options.runs, {
            "sum-server": lambda: ours.load(command), "gRPC C++ server": lambda: theirs.load(command)})
    rows = [[name, result["server_cpu"] / count * 1e9] for name, result in results.items()]
    return section(
        "A foreign client's stream", f"gRPC C++'s client sends {count:,} numbers, each in a frame of its own.",
        ["", "CPU of the server, ns a number"], rows)


def files(options):
    count = options.file_numbers
    sections = []
    for label, numbers in (
        (f"The numbers 1 to {count:,}", (str(n) for n in range(1, count + 1))),
        (f"{count:,} random int32 numbers", (str(random.randint(-(1 << 31), (1 << 31) - 1)) for _ in range(count))),
    ):
        with tempfile.NamedTemporaryFile("w") as file, Server(SERVER) as server:
            file.write("\n".join(numbers) + "\n")
            file.flush()

            def timed(command, stdin=False):
                def task():
                    with open(file.name) as text:
                        start = time.perf_counter()
                        result = run(command, stdin=text if stdin else subprocess.DEVNULL)
                        return {"seconds": time.perf_counter() - start, "cpu": result["cpu"]}
                return task

            tasks = {"sum-client": timed([CLIENT, "--target", f"127.0.0.1:{server.port}", "-f", file.name])}
            if shutil.which("datamash"):
                tasks["datamash sum 1"] = timed(["datamash", "sum", "1"], stdin=True)
            if shutil.which("mawk"):
                tasks["mawk"] = timed(["mawk", "{s+=$1} END {print s}", file.name])
            results = medians(options.runs, tasks)
        rows = [
            [name, count / result["seconds"] / 1e6, result["cpu"], result["seconds"] / results["sum-client"]["seconds"]]
            for name, result in results.items()
        ]
        sections.append(section(
            f"From a file: {label[0].lower() + label[1:]}", "", ["", "million numbers/s", "CPU, s", "sum-client is faster by"], rows))
    return "\n\n".join(sections)


def calls(options):
    sections = []
    body, headers = PEERS / "call.body", ["-H", "content-type: application/grpc", "-H", "te: trailers"]
    body.write_bytes(b"".join(bytes([0, 0, 0, 0, 2, 8, n]) for n in ONES))
    docroot = PEERS / "docroot"
    (docroot / "tutorial.NumberService").mkdir(parents=True, exist_ok=True)
    (docroot / "tutorial.NumberService/SumNumbers").write_bytes(bytes([0, 0, 0, 0, 2, 8, 55]))
    for concurrency, connections in ((64, 1), (1, 1), (64, 8)):
        total = options.calls if concurrency > 1 else options.calls // 8

        def h2load(port):
            def task():
                text = run(["h2load", "-n", str(total), "-c", str(connections), "-m", str(concurrency // connections),
                            "-d", str(body), *headers, f"http://127.0.0.1:{port}/tutorial.NumberService/SumNumbers"])["output"]
                line = next(line for line in text.splitlines() if line.startswith("finished in"))
                return {"calls_per_s": float(line.split()[3]), "p50_us": 0.0, "p99_us": 0.0}
            return task

        opened = [Server(SERVER)]
        command = [BENCH, "calls", "--port", "{port}", "--calls", str(total), "--concurrency", str(concurrency),
                   "--connections", str(connections)]
        tasks = {"sum, library and server": lambda: with_figures(opened[0].load(command))}
        if shutil.which("h2load"):
            tasks["h2load and sum-server"] = h2load(opened[0].port)
        nghttpd = None
        if shutil.which("h2load") and shutil.which("nghttpd"):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            nghttpd = subprocess.Popen(
                ["nghttpd", "--no-tls", "-a", "127.0.0.1", "-d", str(docroot), str(port)], stdout=subprocess.DEVNULL)
            wait_for(port)
            tasks["h2load and nghttpd"] = h2load(port)
        for name, folder in (("grpc-go", GO), ("gRPC C++", CPP)):
            if has(folder) and connections == 1:
                server = peer_server(folder)
                opened.append(server)
                few = ["--rpcs", str(total // 8), "--concurrency", str(concurrency), "--numbers", "10"]
                tasks[name] = lambda server=server, folder=folder, few=few: with_figures(
                    server.load([str(folder / "number-client"), "--port", "{port}", *few]))
        results = medians(options.runs, tasks)
        for server in opened:
            server.__exit__()
        if nghttpd:
            nghttpd.terminate()
            nghttpd.wait()
        ours = results["sum, library and server"]["calls_per_s"]
        rows = [
            [name, result["calls_per_s"], result["p50_us"] or None, result["p99_us"] or None, ours / result["calls_per_s"]]
            for name, result in results.items()
        ]
        if (concurrency, connections) == (64, 1):
            chart("calls", report.bars("Calls a second, 64 at once", [(row[0], row[1]) for row in rows]))
        at_once = f"{concurrency} at once" if concurrency > 1 else "one after another"
        over = f"{connections} connections" if connections > 1 else "one connection"
        sections.append(section(
            f"Calls, {at_once}, over {over}", "Ten numbers in each call." if not sections else "",
            ["", "calls/s", "median, us", "99 of 100 within, us", "sum is faster by"], rows,
            "calls" if not sections else None))
    return "\n\n".join(sections)


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
        client = server.load([BENCH, "stream", "--port", "{port}", "--count", str(options.long)])
        rows.append([f"the server's peak, {options.long:,} numbers", server.peak_mib(), "MiB"])
        rows.append([f"the client's peak, {options.long:,} numbers", client["peak"], "MiB"])
    return section("Memory", "An idle connection has made one call. PSS, the rest is resident memory.", ["", "", ""], rows)


def idle_connection(port):
    """A connection that has made one call of 1, 2, 3, with fields that HPACK leaves as they are."""
    def frame(kind, flags, stream_id, payload):
        return len(payload).to_bytes(3) + bytes([kind, flags]) + stream_id.to_bytes(4) + payload

    def field(name, value):
        return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value

    fields = b"".join(field(*pair) for pair in (
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/tutorial.NumberService/SumNumbers"),
        (b":authority", b"localhost"), (b"te", b"trailers"), (b"content-type", b"application/grpc")))
    numbers = b"".join(bytes([0, 0, 0, 0, 2, 8, n]) for n in (1, 2, 3))
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(4, 1, 0, b"")
                       + frame(1, 4, 1, fields) + frame(0, 1, 1, numbers))
    received = b""
    while bytes([0, 0, 0, 0, 2, 8, 6]) not in received:
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


def growth(options):
    counts = [10**power for power in range(4, 10) if 10**power <= options.long]
    at_once = [1, 10, 100, 1000]
    with Server([*SERVER, "--max-concurrent-streams", "1000"]) as server:
        streams = medians(options.runs, {
            count: lambda count=count: with_figures(server.load(
                [BENCH, "stream", "--port", "{port}", "--count", str(count), "--calls", str(max(1, 10**7 // count))]))
            for count in counts})
        loads = medians(options.runs, {
            each: lambda each=each: with_figures(server.load(
                [BENCH, "calls", "--port", "{port}", "--calls", str(options.calls), "--concurrency", str(each)]))
            for each in at_once})
    ns = [streams[count]["elapsed_s"] / count * 1e9 for count in counts]
    us = [loads[each]["elapsed_s"] / options.calls * 1e6 for each in at_once]
    chart("growth", report.lines("ns a number, by the length of the stream", [f"10^{len(str(c)) - 1}" for c in counts], {"sum": ns}))
    return "\n\n".join([
        section("Growth: numbers in a stream", "", ["numbers", "ns a number"], [[f"{c:,}", n] for c, n in zip(counts, ns)], "growth"),
        section("Growth: calls at once", "", ["calls at once", "us a call"], [[f"{c:,}", n] for c, n in zip(at_once, us)])])


def scale(options):
    count = options.numbers // 10
    with Server(SERVER) as server:
        def senders(many):
            def task():
                command = [str(PEERS / "flood"), str(server.port), str(count)]
                processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(many)]
                return {"numbers_per_s": sum(figures(p.communicate()[0])["numbers_per_s"] for p in processes)}
            return task
        results = medians(options.runs, {many: senders(many) for many in (1, 2, 4)})
    return section(
        "Connections", f"Senders that have made their bytes beforehand, {count:,} numbers each.",
        ["connections", "million numbers/s in all"], [[str(many), result["numbers_per_s"] / 1e6] for many, result in results.items()])


def loops(options):
    kinds = [*map(str, range(1, 11)), "negative", "random"]
    names = ["decode", "encode", "parse"]
    results = {(loop, kind): figures(run([BENCH, "loop", loop, kind])["output"]) for kind in kinds for loop in names}
    instructions = {key: instruction_count(*key) for key in results} if options.instructions else {}
    rows = [
        [kind + (" digits" if kind.isdigit() else ""), *(results[loop, kind]["ns_per_number"] for loop in names),
         *(instructions.get((loop, kind)) for loop in names)]
        for kind in kinds
    ]
    chart("loops", report.lines(
        "The loops alone: ns a number, by digits", kinds[:10] + ["neg.", "random"],
        {loop: [results[loop, kind]["ns_per_number"] for kind in kinds] for loop in names}))
    return section(
        "The loops alone", "Instructions as valgrind's callgrind counts them.",
        ["numbers of", "decode, ns", "encode, ns", "parse, ns", "decode, instructions", "encode", "parse"], rows, "loops")


def instruction_count(loop, kind):
    """Instructions a number: what two more rounds take."""
    def total(rounds):
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", BENCH, "loop", loop, kind]
        process = subprocess.run([*command, "--rounds", str(rounds)], capture_output=True, text=True, check=True)
        count = int(re.search(r"Collected : (\d+)", process.stderr).group(1))
        return count, figures(process.stdout)["numbers"]

    (few, numbers), (many, _) = total(1), total(3)
    return (many - few) / 2 / numbers


def section(title, text, header, rows, image=None):
    parts = [f"### {title}", text, report.table(header, rows)]
    if image:
        parts.append(f"![{title}](performance/{image}.svg)")
    print("\n" + title + "\n" + "\n".join("  " + "  ".join(
        str(cell if isinstance(cell, str) else report.number(cell)).ljust(32 if not index else 12)
        for index, cell in enumerate(row)) for row in [header, *rows]), flush=True)
    return "\n\n".join(part for part in parts if part)


def skipped(title, package):
    print(f"\n{title}: skipped, {package} is missing", flush=True)
    return f"### {title}\n\nSkipped: {package} is missing."


def chart(name, svg):
    if CHARTS.is_dir():
        (CHARTS / f"{name}.svg").write_text(svg)


MEASURES = [stream, foreign, files, calls, memory, start, growth, scale, loops]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(m.__name__ for m in MEASURES) + "; all of them if none")
    parser.add_argument("--quick", action="store_true", help="fewer runs of less")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    quick = options.quick
    options.runs = 3 if quick else 7
    options.numbers = 10**8 if quick else 5 * 10**8
    options.file_numbers = 10**7
    options.calls = 20_000 if quick else 100_000
    options.idle = [1000] if quick else [1000, 10_000]
    options.instructions = not quick and shutil.which("valgrind")
    options.long = 10**8 if quick else 10**9
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    chosen = [m for m in MEASURES if not options.measures or m.__name__ in options.measures]
    sections = [m(options) for m in chosen]
    if options.write and not options.measures:
        with open("/proc/cpuinfo") as file:
            model = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
        about = f"Measured on {os.cpu_count()} cores ({model}), Linux {platform.release()}, both ends on them."
        report.write(ROOT / "docs/performance.md", [about, *sections])


if __name__ == "__main__":
    main()
