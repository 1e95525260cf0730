"""The programs that are measured, and those beside them."""

import pathlib

from processes import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / ".build/bench"
SERVER = [str(ROOT / ".build/release/sum-server"), "--host", "127.0.0.1", "--port", "0", "--overflow", "wrap"]
CLIENT = str(ROOT / ".build/release/sum-client")
BENCH = str(ROOT / "Benchmarks/.build/release/sum-bench")
GO, CPP = PEERS / "go", PEERS / "cpp"
# The programs of docs/comparison.md: hello-server, hello-client and hello-load.
HELLO = ROOT / "Benchmarks/.build/release"
HELLO_GO, HELLO_SWIFT = PEERS / "hello-go", PEERS / "hello-grpc-swift"


def peer_server(folder, *options):
    return Server([str(folder / "number-server"), "--port", "0", *options])


def has(folder):
    return (folder / "number-client").exists() or (folder / "hello-load").exists()


def hello_server(folder):
    return Server([str(folder / "hello-server"), "0"])


def hello_load(folder, method, calls, concurrency=64, numbers=10):
    """The command that makes calls of a server of `hello_server`."""
    client = [BENCH, "stubs"] if folder == HELLO else [str(folder / "hello-load")]
    options = {"port": "{port}", "calls": calls, "concurrency": concurrency, "numbers": numbers}
    return [*client, *(word for name, value in options.items() for word in (f"--{name}", str(value))), method]
