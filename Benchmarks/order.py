#!/usr/bin/env python3
"""Writes scripts/hot-functions: the functions that every call runs, on the server and on the client, which
scripts/build-release lays side by side. `make hot-functions` builds what this runs. A name that no longer exists does
no harm, and one that is missing costs only time."""

import subprocess

from instructions import by_function, Counted
from processes import run, Server
from programs import BENCH, ROOT

FEW, MANY = 500, 1500
FILE = ROOT / "scripts/hot-functions"
HEAD = """# The sections of functions that every call runs. `make hot-functions` wrote this from a run under callgrind.
"""


def load(port, calls, at_once):
    return [BENCH, "calls", "--port", str(port), "--calls", str(calls), "--concurrency", str(at_once)]


def client(calls, at_once):
    with Server([BENCH, "serve"]) as server:
        return Counted(load(server.port, calls, at_once), by_function).counts()


def server(calls, at_once):
    counted = Counted([BENCH, "serve"], by_function)
    run(load(counted.port(), calls, at_once))
    return counted.stop()


def of_every_call(measure, at_once):
    """The functions of which a call runs at least an instruction. The difference of two runs leaves out the start."""
    few, many = measure(FEW, at_once), measure(MANY, at_once)
    return {name for name, count in many.items() if count - few[name] >= (MANY - FEW) * 0.9}


def main():
    # The program's own: the C library's and nghttp2's are elsewhere.
    symbols = subprocess.run(["nm", BENCH], check=True, capture_output=True, text=True).stdout
    own = {line.split()[-1] for line in symbols.splitlines() if line.split()[-2] in "tTwW"}
    names = set()
    for measure in (client, server):
        for at_once in (1, 64):
            names |= of_every_call(measure, at_once) & own
    FILE.write_text(HEAD + "".join(f".text.{name}\n" for name in sorted(names)))
    print(f"{len(names)} functions in {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
