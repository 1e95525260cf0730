#!/usr/bin/env python3
"""Measures sum-server, sum-client and the library beside their peers, in one run; prints the tables, and with
--write puts them and the charts into docs/performance.md and docs/comparison.md. `make bench` builds what this runs.

Every figure is the median of some runs, which take turns with those they are compared to."""

import argparse
import itertools
import os
import pathlib
import platform
import re
import resource
import shutil

import calls
import comparison
import loops
import report
import streams
import tls
import variants

MEASURES = [
    streams.stream,
    streams.foreign,
    streams.files,
    calls.calls,
    calls.memory,
    calls.start,
    variants.variants,
    streams.growth,
    streams.scale,
    tls.tls,
    loops.loops,
    comparison.comparison,
]


def main():
    names = ", ".join(measure.__name__ for measure in MEASURES)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"{names}; all of them if none")
    parser.add_argument("--quick", action="store_true", help="fewer runs of less")
    parser.add_argument("--runs", type=int, help="runs of which each figure is the median (7, or 3 if quick)")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and docs/comparison.md")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="compare with another hello-server and hello-load too",
    )
    options = parser.parse_args()
    quick = options.quick
    options.runs = options.runs or (3 if quick else 7)
    options.numbers = 10**8 if quick else 5 * 10**8
    options.file_numbers = 10**7
    options.calls = 20_000 if quick else 100_000
    options.idle = [1000] if quick else [1000, 10_000]
    options.instructions = not quick and shutil.which("valgrind")
    options.long = 10**8 if quick else 10**9
    options.peers = {name: pathlib.Path(path) for name, _, path in (each.partition("=") for each in options.peer)}
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    chosen = [each for each in MEASURES if not options.measures or each.__name__ in options.measures]
    sections = {measure: measure(options) for measure in chosen}
    compared = sections.pop(comparison.comparison, None)
    if options.write and compared:
        report.write(report.COMPARISON, [about(), compared])
    # One measure is not a page.
    if options.write and not options.measures:
        report.write(report.PERFORMANCE, [about(), *sections.values()])


def about():
    """What was measured on. A name such as "AMD EPYC" does not tell the generation; family and model do."""
    with open("/proc/cpuinfo") as file:
        lines = itertools.takewhile(str.strip, file)
        processor = dict(re.split(r"\s*:\s*", line.strip(), maxsplit=1) for line in lines)
    name, family, model = (processor.get(key, "unknown") for key in ("model name", "cpu family", "model"))
    return (
        f"Measured on {os.cpu_count()} cores ({name}, family {family}, model {model}), Linux {platform.release()}, "
        "both ends on them."
    )


if __name__ == "__main__":
    main()
