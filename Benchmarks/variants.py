"""The same calls made in other ways: through stubs, over a Unix domain socket, observed, and to several servers."""

import pathlib
import shutil
import tempfile

from processes import load_all, medians, Server, with_figures
from programs import BENCH, SERVER
from report import section


def variants(options):
    folder = pathlib.Path(tempfile.mkdtemp())
    path = folder / "sum.sock"
    observed = ["--metrics-listen", f"unix:{folder / 'metrics.sock'}"]
    servers = {
        "plain": Server(SERVER),
        "unix": Server([SERVER[0], "--overflow", "wrap", "--listen", f"unix:{path}"]),
        "metrics": Server([*SERVER, *observed]),
        "log": Server([*SERVER, "--metrics-listen", f"unix:{folder / 'both.sock'}", "--access-log"]),
        "stubs": Server([BENCH, "serve"]),
        "by hand": Server([BENCH, "serve", "--by-hand"]),
        **{f"robin {index}": Server(SERVER) for index in range(3)},
    }

    def load(name, *words):
        server = servers[name]
        return lambda: with_figures(server.load([BENCH, *words, "--port", "{port}"]))

    def robin(*words):
        fleet = [server for name, server in servers.items() if name.startswith("robin")]
        target = "ipv4:" + ",".join(f"127.0.0.1:{server.port}" for server in fleet)
        return lambda: with_figures(load_all(fleet, [BENCH, *words, "--target", target]))

    def unix(*words):
        return lambda: with_figures(load_all([servers["unix"]], [BENCH, *words, "--target", f"unix:{path}"]))

    many = ["--calls", str(options.calls)]
    lone = ["--calls", str(options.calls // 8), "--concurrency", "1"]
    stream = ["stream", "--count", str(options.numbers // 5)]
    try:
        calls = medians(
            options.runs,
            {
                "sum-server": load("plain", "calls", *many),
                "over a Unix domain socket": unix("calls", *many),
                "with metrics": load("metrics", "calls", *many),
                "with metrics and the access log": load("log", "calls", *many),
                "three servers in turn, three connections": robin("calls", *many),
                "stubs, a task for each call": load("stubs", "stubs", *many, "sum"),
                "the same by hand": load("by hand", "stubs", "--by-hand", *many, "sum"),
                "stubs, batch-wise": load("stubs", "stubs", *many, "batch"),
                "the same by hand ": load("by hand", "stubs", "--by-hand", *many, "batch"),
                "stubs, one message in each direction": load("stubs", "stubs", *many, "hello"),
                "the same by hand  ": load("by hand", "stubs", "--by-hand", *many, "hello"),
            },
        )
        pairs = medians(
            options.runs,
            {
                ("a lone call", "TCP"): load("plain", "calls", *lone),
                ("a lone call", "Unix"): unix("calls", *lone),
                ("a stream", "TCP"): load("plain", *stream),
                ("a stream", "Unix"): unix(*stream),
            },
        )
    finally:
        for server in servers.values():
            server.__exit__()
        shutil.rmtree(folder)
    return "\n\n".join([in_other_ways(options, calls), unix_sockets(pairs)])


def in_other_ways(options, results):
    base = results["sum-server"]["calls_per_s"]
    rows = [
        [
            name.strip(),
            result["calls_per_s"],
            result["p50_us"],
            (result["cpu"] + result["server_cpu"]) / options.calls * 1e6,
            result["calls_per_s"] / base,
        ]
        for name, result in results.items()
    ]
    return section(
        "Calls in other ways",
        "64 at once. Ten numbers in each, by the library's `sum(of:)` and `SumNumbers` unless it says stubs, whose messages "
        "are values of swift-protobuf.",
        ["", "calls/s", "median, us", "CPU of both ends, us a call", "to the first"],
        rows,
    )


def unix_sockets(results):
    rows = [
        ["a lone call, median, us", *(results["a lone call", kind]["p50_us"] for kind in ("TCP", "Unix"))],
        [
            "a stream, million numbers/s",
            *(results["a stream", kind]["numbers_per_s"] / 1e6 for kind in ("TCP", "Unix")),
        ],
    ]
    return section("Unix domain sockets", "", ["", "TCP, loopback", "Unix domain socket"], rows)
