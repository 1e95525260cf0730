"""Starts the programs that are measured, and reads what they cost."""

import contextlib
import os
import re
import statistics
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def figures(text):
    """The names and figures of a line `name 1 other 2.5 ...`."""
    words = text.split()
    return {name: float(value) for name, value in zip(words[::2], words[1::2])}


def with_figures(result):
    return {**result, **figures(result["output"])}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def run(command, stdin=None):
    """Runs a program to its end: its `cpu` seconds and its `output`."""
    process = subprocess.Popen(
        command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    output = process.stdout.read()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {errors or output}")
    return {"output": output, "cpu": usage.ru_utime + usage.ru_stime}


class Server:
    """A server that listens; ends with the `with` statement."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        match = re.search(r":(\d+)$", self.process.stdout.readline().strip())
        # None for a Unix domain socket.
        self.port = int(match.group(1)) if match else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def peak_mib(self):
        return peak_mib(self.process.pid)

    def pss_kib(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup") as file:
            return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))

    def load(self, command):
        """Runs a client against this server, whose `server_cpu` seconds join its figures."""
        before = self.cpu()
        result = run([word.format(port=self.port) for word in command])
        result["server_cpu"] = self.cpu() - before
        return result


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024


def watch_peak(command):
    """Runs a program to its end: the most memory it had. (ru_maxrss would count ours at the fork, too.)"""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, peak_mib(process.pid))
        except (AttributeError, FileNotFoundError):
            pass  # It is about to end, and has no memory any more.
        time.sleep(0.01)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return peak


def load_all(servers, command):
    """Runs a client against several servers, whose `server_cpu` seconds join its figures."""
    before = sum(server.cpu() for server in servers)
    result = run(command)
    result["server_cpu"] = sum(server.cpu() for server in servers) - before
    return result


@contextlib.contextmanager
def on_processors(processors):
    """Starts every program on these processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def medians(runs, tasks):
    """Runs every task `runs` times, in turns, so that all meet the same noise.

    Gives the medians of their figures.
    """
    results = {name: [] for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            results[name].append(task())
    return {
        name: {key: statistics.median(result[key] for result in each) for key in each[0] if key != "output"}
        for name, each in results.items()
    }
