"""The loops over numbers, alone."""

import re
import subprocess

from processes import figures, run
from programs import BENCH
from report import chart, lines, section


def loops(options):
    kinds = [*map(str, range(1, 11)), "negative", "random"]
    names = ["decode", "encode", "parse"]
    results = {
        (loop, kind): figures(run([BENCH, "loop", loop, kind])["output"]) for kind in kinds for loop in names
    }
    instructions = {key: instruction_count(*key) for key in results} if options.instructions else {}
    rows = [
        [
            kind + (" digits" if kind.isdigit() else ""),
            *(results[loop, kind]["ns_per_number"] for loop in names),
            *(instructions.get((loop, kind)) for loop in names),
        ]
        for kind in kinds
    ]
    chart(
        "loops",
        lines(
            "The loops alone: ns a number, by digits",
            kinds[:10] + ["neg.", "random"],
            {loop: [results[loop, kind]["ns_per_number"] for kind in kinds] for loop in names},
        ),
    )
    return section(
        "The loops alone",
        "Instructions as valgrind's callgrind counts them.",
        ["numbers of", "decode, ns", "encode, ns", "parse, ns", "decode, instructions", "encode", "parse"],
        rows,
        "loops",
    )


def instruction_count(loop, kind):
    """Instructions a number: what two more rounds take."""

    def total(rounds):
        command = [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            BENCH,
            "loop",
            loop,
            kind,
        ]
        process = subprocess.run(
            [*command, "--rounds", str(rounds)], capture_output=True, text=True, check=True
        )
        count = int(re.search(r"Collected : (\d+)", process.stderr).group(1))
        return count, figures(process.stdout)["numbers"]

    (few, numbers), (many, _) = total(1), total(3)
    return (many - few) / 2 / numbers
