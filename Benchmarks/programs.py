"""The programs that are measured, and those beside them."""

import pathlib

from processes import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / ".build/bench"
SERVER = [str(ROOT / ".build/release/sum-server"), "--host", "127.0.0.1", "--port", "0", "--overflow", "wrap"]
CLIENT = str(ROOT / ".build/release/sum-client")
BENCH = str(ROOT / "Benchmarks/.build/release/sum-bench")
GO, CPP = PEERS / "go", PEERS / "cpp"


def peer_server(folder, *options):
    return Server([str(folder / "number-server"), "--port", "0", *options])


def has(folder):
    return (folder / "number-client").exists()
