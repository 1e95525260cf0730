"""Long calls: what a number costs."""

import random
import shutil
import subprocess
import tempfile
import time

from processes import figures, medians, run, Server, with_figures
from programs import BENCH, CLIENT, CPP, GO, has, hello_load, hello_server, HELLO_SWIFT, peer_server, PEERS, SERVER
from report import bars, chart, lines, section, skipped


def frames_size(count):
    """Bytes of the messages 1...count."""
    size, low = 0, 1
    for length, limit in ((7, 1 << 7), (8, 1 << 14), (9, 1 << 21), (10, 1 << 28), (11, 1 << 31)):
        size += length * max(0, min(count, limit - 1) - low + 1)
        low = limit
    return size


def stream(options):
    count, few = options.numbers, options.numbers // 500
    with Server(SERVER) as ours:
        servers = [ours]

        def library(*extra):
            command = [BENCH, "stream", "--port", "{port}", "--count", str(count), *extra]
            return with_figures(ours.load(command))

        def limit():
            result = with_figures(run([str(PEERS / "limit"), str(frames_size(count))]))
            return {**result, "numbers_per_s": count / result["seconds"], "server_cpu": 0}

        tasks = {
            "sum, library": library,
            "the same, on GRPCClient.executor": lambda: library("--on-loop"),
            "the same bytes, bare loopback": limit,
        }
        for name, folder, extra in (("grpc-go", GO, []), ("gRPC C++", CPP, ["--sync"])):
            if has(folder):
                server = peer_server(folder, *extra)
                servers.append(server)
                command = [
                    str(folder / "number-client"),
                    "--port",
                    str(server.port),
                    "--count",
                    str(few),
                    *extra,
                ]
                tasks[name] = lambda server=server, command=command: with_figures(server.load(command))
        if has(HELLO_SWIFT):
            swift = hello_server(HELLO_SWIFT)
            servers.append(swift)

            def grpc_swift():
                result = with_figures(swift.load(hello_load(HELLO_SWIFT, "sum", 1, 1, few)))
                return {**result, "numbers_per_s": few / result["elapsed_s"]}

            tasks["grpc-swift-2"] = grpc_swift
        results = medians(options.runs, tasks)
        for server in servers[1:]:
            server.__exit__()
    counts = {name: few if name.startswith("g") else count for name in results}
    ours = results["sum, library"]["numbers_per_s"]
    rows = [
        [
            name,
            result["numbers_per_s"] / 1e6,
            (result["cpu"] + result["server_cpu"]) / counts[name] * 1e9,
            ours / result["numbers_per_s"],
        ]
        for name, result in results.items()
    ]
    chart("stream", bars("One stream: million numbers a second", [(row[0], row[1]) for row in rows]))
    return section(
        "One stream, from a generator",
        f"The numbers 1 to {count:,} in one call; the peers send {few:,}.",
        ["", "million numbers/s", "CPU of both ends, ns a number", "sum is faster by"],
        rows,
        "stream",
    )


def foreign(options):
    """What a foreign client costs the two servers: one message in a frame."""
    if not has(CPP):
        return skipped("A foreign client's stream", "gRPC C++")
    count = options.numbers // 500
    with Server(SERVER) as ours, peer_server(CPP, "--sync") as theirs:
        command = [str(CPP / "number-client"), "--port", "{port}", "--count", str(count), "--sync"]
        results = medians(
            options.runs,
            {"sum-server": lambda: ours.load(command), "gRPC C++ server": lambda: theirs.load(command)},
        )
    rows = [[name, result["server_cpu"] / count * 1e9] for name, result in results.items()]
    return section(
        "A foreign client's stream",
        f"gRPC C++'s client sends {count:,} numbers, each in a frame of its own.",
        ["", "CPU of the server, ns a number"],
        rows,
    )


def files(options):
    count = options.file_numbers
    sections = []
    for label, numbers in (
        (f"The numbers 1 to {count:,}", range(1, count + 1)),
        (
            f"{count:,} random int32 numbers",
            (random.randint(-(1 << 31), (1 << 31) - 1) for _ in range(count)),
        ),
    ):
        with tempfile.NamedTemporaryFile("w") as file, Server(SERVER) as server:
            file.writelines(f"{number}\n" for number in numbers)
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
            [
                name,
                count / result["seconds"] / 1e6,
                result["cpu"],
                result["seconds"] / results["sum-client"]["seconds"],
            ]
            for name, result in results.items()
        ]
        sections.append(
            section(
                f"From a file: {label[0].lower() + label[1:]}",
                "",
                ["", "million numbers/s", "CPU, s", "sum-client is faster by"],
                rows,
            )
        )
    return "\n\n".join(sections)


def growth(options):
    counts = [10**power for power in range(4, 10) if 10**power <= options.long]
    at_once = [1, 10, 100, 1000]
    with Server([*SERVER, "--max-concurrent-streams", "1000"]) as server:
        streams = medians(
            options.runs,
            {
                count: lambda count=count: with_figures(
                    server.load(
                        [
                            BENCH,
                            "stream",
                            "--port",
                            "{port}",
                            "--count",
                            str(count),
                            "--calls",
                            str(max(1, 10**7 // count)),
                        ]
                    )
                )
                for count in counts
            },
        )
        loads = medians(
            options.runs,
            {
                each: lambda each=each: with_figures(
                    server.load(
                        [
                            BENCH,
                            "calls",
                            "--port",
                            "{port}",
                            "--calls",
                            str(options.calls),
                            "--concurrency",
                            str(each),
                        ]
                    )
                )
                for each in at_once
            },
        )
    ns = [streams[count]["elapsed_s"] / count * 1e9 for count in counts]
    us = [loads[each]["elapsed_s"] / options.calls * 1e6 for each in at_once]
    chart(
        "growth",
        lines(
            "ns a number, by the length of the stream", [f"10^{len(str(c)) - 1}" for c in counts], {"sum": ns}
        ),
    )
    return "\n\n".join(
        [
            section(
                "Growth: numbers in a stream",
                "",
                ["numbers", "ns a number"],
                [[f"{c:,}", n] for c, n in zip(counts, ns)],
                "growth",
            ),
            section(
                "Growth: calls at once",
                "",
                ["calls at once", "us a call"],
                [[f"{c:,}", n] for c, n in zip(at_once, us)],
            ),
        ]
    )


def scale(options):
    count = options.numbers // 10
    with Server(SERVER) as server:

        def senders(many):
            def task():
                command = [str(PEERS / "flood"), str(server.port), str(count)]
                processes = [
                    subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(many)
                ]
                return {"numbers_per_s": sum(figures(p.communicate()[0])["numbers_per_s"] for p in processes)}

            return task

        results = medians(options.runs, {many: senders(many) for many in (1, 2, 4)})
    return section(
        "Connections",
        f"Senders that have made their bytes beforehand, {count:,} numbers each.",
        ["connections", "million numbers/s in all"],
        [[str(many), result["numbers_per_s"] / 1e6] for many, result in results.items()],
    )
