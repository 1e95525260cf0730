"""Counts instructions, and calls of functions, with valgrind's callgrind: they do not depend on what else is running."""

import collections
import re
import subprocess
import tempfile

# What takes memory, and what increments a reference count (atomically, which takes longer than its instructions).
FUNCTIONS = {
    "mallocs": ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"],
    "retains": [
        "swift_retain",
        "swift_retain_n",
        "swift_bridgeObjectRetain",
        "swift_bridgeObjectRetain_n",
        "swift_unknownObjectRetain",
        "swift_weakLoadStrong",
    ],
}


class Counted:
    """A program that runs under callgrind. Once it has ended, `counts` has what it took, as `read` finds it."""

    def __init__(self, command, read=None):
        self.read = read or totals
        self.file = tempfile.NamedTemporaryFile(prefix="callgrind.")
        # Standard error is valgrind's, and the program's.
        valgrind = ["valgrind", "--quiet", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={self.file.name}"]
        self.process = subprocess.Popen(
            [*valgrind, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def port(self):
        """The port that a server says it listens on."""
        return int(re.search(r":(\d+)$", self.process.stdout.readline().strip()).group(1))

    def stop(self):
        self.process.terminate()
        return self.counts()

    def counts(self):
        self.process.communicate()
        # A server ends with 0 on SIGTERM, or by it.
        if self.process.returncode not in (0, -15):
            raise RuntimeError(f"{' '.join(self.process.args)} ended with {self.process.returncode}")
        with open(self.file.name) as text:
            return self.read(text)


def totals(lines):
    """The instructions of a file of callgrind, and the calls of what `FUNCTIONS` names."""
    names, calls, called, instructions = {}, collections.Counter(), None, 0
    for line in lines:
        if line.startswith(("fn=", "cfn=")):
            number, _, name = line.partition("=")[2].strip().partition(" ")
            if name:
                names[number] = name.removesuffix("'2")
            called = number
        elif line.startswith("calls="):
            calls[called] += int(line[6:].split()[0])
        elif line.startswith(("summary:", "totals:")):
            instructions = int(line.split()[1])
    by_name = collections.Counter()
    for number, count in calls.items():
        by_name[names.get(number)] += count
    return {
        "instructions": instructions,
        **{kind: sum(by_name[name] for name in each) for kind, each in FUNCTIONS.items()},
    }


def each(few, many, count):
    """What one of the `count` more took."""
    return {kind: (many[kind] - few[kind]) / count for kind in few}


def by_function(lines):
    """The instructions of each function itself, without those that it calls."""
    names, cost, function, is_call = {}, collections.Counter(), None, False
    for line in lines:
        if line.startswith(("fn=", "cfn=")):
            number, _, name = line.partition("=")[2].strip().partition(" ")
            if name:
                names[number] = name.removesuffix("'2")
            if line.startswith("fn="):
                function = number
        elif line.startswith("calls="):
            is_call = True
        elif line[0] in "0123456789+-*":
            if not is_call:
                cost[function] += int(line.split()[1])
            is_call = False
    by_name = collections.Counter()
    for number, count in cost.items():
        by_name[names[number]] += count
    return by_name
