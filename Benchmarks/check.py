#!/usr/bin/env python3
"""Compares what a call costs with Benchmarks/baseline.json: instructions, mallocs and retains on the server and on the
client, and instructions of the loops over numbers. Fails if one is more than 3 % dearer, or if a call through stubs is
more than 3 % dearer than the same by hand. `make bench-check` builds what this runs; with --renew, it writes the baseline."""

import argparse
import json
import platform
import subprocess
import sys

from calls import h2load_command
from instructions import Counted, each
from loops import instruction_count
from processes import run, Server
from programs import BENCH, PEERS, ROOT, SERVER

BASELINE = ROOT / "Benchmarks/baseline.json"
LIMIT = 0.03
FEW, MANY = 2000, 6000
NUMBERS = b"".join(bytes([0, 0, 0, 0, 2, 8, n]) for n in range(1, 11))
HELLO = b"\0\0\0\0\7\n\5world"
# The methods of `sum-bench serve`: the path, and what h2load sends.
METHODS = {
    "hello": ("/hello.v1.Greeter/SayHello", HELLO),
    "sum": ("/hello.v1.Greeter/SumNumbers", NUMBERS),
    "batch": ("/batch.v1.Adder/SumNumbers", NUMBERS),
}


def server_cost(command, path, body):
    """What a call takes on the server, of 64 at once by h2load."""
    file = PEERS / "check.body"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)

    def total(calls):
        server = Counted(command)
        text = run(h2load_command(f"http://127.0.0.1:{server.port()}{path}", file, calls))["output"]
        if f"{calls} succeeded" not in text:
            raise RuntimeError(f"calls of {path} have failed: {text}")
        return server.stop()

    return each(total(FEW), total(MANY), MANY - FEW)


def client_cost(server, *words):
    """What a call takes on the client, of 64 at once."""

    def total(calls):
        command = [BENCH, *words, "--port", str(server.port), "--calls", str(calls)]
        return Counted(command).counts()

    return each(total(FEW), total(MANY), MANY - FEW)


ALL = ("instructions", "mallocs", "retains")


def tasks():
    """What is measured: a function for each, and which of its figures are kept."""
    path = "/tutorial.NumberService/SumNumbers"

    def client(*words):
        def task():
            with Server([BENCH, "serve"]) as server:
                return client_cost(server, *words)

        return task

    each = {
        # The tools are stripped, so that only their instructions can be counted.
        "sum-server, a call of ten numbers": (lambda: server_cost(SERVER, path, NUMBERS), ALL[:1]),
        "server, a call of ten numbers": (lambda: server_cost([BENCH, "serve"], path, NUMBERS), ALL),
        "client, a call of ten numbers": (client("calls"), ALL),
    }
    for method, (path_of_method, body) in METHODS.items():
        for kind, words in (("stubs", []), ("by hand", ["--by-hand"])):
            each[f"server, '{method}', {kind}"] = (
                lambda words=words, path=path_of_method, body=body: server_cost([BENCH, "serve", *words], path, body),
                ALL,
            )
            each[f"client, '{method}', {kind}"] = (client("stubs", method, *words), ALL)
    for loop in ("decode", "encode", "parse"):
        each[f"{loop}, a number of 7 digits"] = (
            lambda loop=loop: {"instructions": instruction_count(loop, "7")},
            ALL[:1],
        )
    return each


def measure(name, task, kinds, baseline):
    """Measures again, up to twice, what is above the baseline: how calls meet on a busy machine varies by a percent.

    Returns the lowest figures, by name and kind."""
    lowest = {}
    for _ in range(3):
        for kind, value in task().items():
            if kind in kinds:
                figure = f"{name}: {kind}"
                lowest[figure] = round(min(value, lowest.get(figure, value)), 1)
        if not any(is_worse(value, baseline.get(figure)) for figure, value in lowest.items()):
            break
    for figure, value in lowest.items():
        before = baseline.get(figure)
        print(f"{value / before - 1:+7.1%}" if before else " " * 7, f"{figure} {value:,.1f}", flush=True)
    return lowest


def is_worse(value, before):
    # Half a call of a function is none.
    return before is not None and value > before * (1 + LIMIT) and value > before + 0.5


def dearer_stubs(figures):
    """Calls through stubs that are dearer than the same by hand."""
    for name, value in figures.items():
        by_hand = figures.get(name.replace(", stubs:", ", by hand:"))
        if name.endswith(": instructions") and ", stubs:" in name and value > by_hand * (1 + LIMIT):
            yield f"{name}: {value:,.0f}, {value / by_hand - 1:+.1%} to the same by hand"


def dearer(figures, baseline):
    """What is dearer than in the baseline, or not in it."""
    for name, value in figures.items():
        before = baseline.get(name)
        if before is None:
            yield f"{name}: not in the baseline"
        elif is_worse(value, before):
            yield f"{name}: {value:,.1f} instead of {before:,.1f}, {value / before - 1:+.1%}"


def environment():
    """What else the counts depend on."""
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    nghttp2 = subprocess.run(["pkg-config", "--modversion", "libnghttp2"], capture_output=True, text=True)
    libc = " ".join(platform.libc_ver())
    return {"swift": swift, "nghttp2": nghttp2.stdout.strip(), "libc": libc, "machine": platform.machine()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renew", action="store_true", help="write the baseline")
    options = parser.parse_args()
    here = environment()
    baseline = {"environment": here, "figures": {}}
    if not options.renew:
        baseline = json.loads(BASELINE.read_text())
    for name, value in baseline["environment"].items():
        if here[name] != value:
            print(f"note: {name} is {here[name]}; the baseline was made with {value}")
    figures = {}
    for name, (task, kinds) in tasks().items():
        figures |= measure(name, task, kinds, baseline["figures"])
    failures = list(dearer_stubs(figures))
    if options.renew:
        BASELINE.write_text(json.dumps({"environment": here, "figures": figures}, indent=2) + "\n")
        print(f"wrote {BASELINE.relative_to(ROOT)}")
    else:
        failures += dearer(figures, baseline["figures"])
    if failures:
        sys.exit(
            "\n".join(["dearer by more than 3 %:", *failures])
            + "\nIf that is worth it, `make bench-check RENEW=1` makes what is measured the baseline."
        )


if __name__ == "__main__":
    main()
