"""Runs sum-server under mixed clients for a long time: sum-client's and Python's grpcio's, with random numbers of
numbers. Half of the calls are compressed, a tenth go by a proxy that cuts every other connection, and are retried, a
tenth are cancelled, and 1 % are killed. One server lives all the time, another is drained and started again on its
port. Every call must end with a status, no sum may be wrong, and the first server may not grow.

Usage: soak.py TOOLS SECONDS [LOAD]   TOOLS has sum-server and sum-client; LOAD is how many cores may be used.
"""

import collections
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc
import tutorial_pb2 as messages

TOOLS, SECONDS = sys.argv[1], float(sys.argv[2])
LOAD = float(sys.argv[3]) if len(sys.argv) > 3 else os.cpu_count()
WORKERS = 8
KILLED, CANCELLED, RETRIED, COMPRESSED = 0.01, 0.1, 0.1, 0.5
# Numbers that still fit into what a client keeps to send again (256 KiB), compressed or not.
RETRIABLE = 5_000
# Nothing here depends on how long a busy machine takes; what hangs longer than this is a failure.
PATIENCE = 1800


class Server:
    def __init__(self, address="127.0.0.1:0"):
        command = [f"{TOOLS}/sum-server", "--listen", address, "--drain-timeout", f"{PATIENCE}s"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]

    def proc(self, name):
        return f"/proc/{self.process.pid}/{name}"

    def memory(self):
        """KiB that are the process's own."""
        if self.process.poll() is not None:
            print(f"soak: a server has ended by itself, with {self.process.returncode}", flush=True)
            os._exit(1)
        with open(self.proc("status")) as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))

    def descriptors(self):
        return len(os.listdir(self.proc("fd")))

    def cpu(self):
        with open(self.proc("stat")) as stat:
            return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def drain(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


class CuttingProxy:
    """Passes connections on to a server, and cuts every other one after a random part of the request."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            host, port = self.target.rsplit(":", 1)
            server = socket.create_connection((host, int(port)))
            limit = random.randint(0, 20_000) if random.random() < 0.5 else None
            threading.Thread(target=self.relay, args=(client, server, limit), daemon=True).start()
            threading.Thread(target=self.relay, args=(server, client, None), daemon=True).start()

    def relay(self, source, sink, limit):
        passed = 0
        try:
            while piece := source.recv(1 << 16):
                sink.sendall(piece if limit is None else piece[: limit - passed])
                passed += len(piece)
                if limit is not None and passed >= limit:
                    break
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if limit is None:
                end.close()


class Soak:
    def __init__(self):
        self.started = time.monotonic()
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.failures = []
        # On a host of its own, whose port nobody else gets while the server is started again.
        self.steady, self.restarted = Server(), Server("127.99.%d.1:0" % random.randrange(256))
        self.targets = [self.steady.address, self.restarted.address]
        self.cutting = CuttingProxy(self.steady.address)
        # Of servers that have ended.
        self.past_cpu = 0.0

    def elapsed(self):
        return time.monotonic() - self.started

    def count(self, outcome, failure=None):
        with self.lock:
            self.counts[outcome] += 1
            if failure:
                self.failures.append(f"{outcome}: {failure}")

    def throttle(self):
        while self.elapsed() < SECONDS:
            cpu = sum(os.times()[:4]) + self.past_cpu + self.steady.cpu()
            if cpu < LOAD * self.elapsed():
                return
            time.sleep(0.1)

    # One call, by one of the clients.

    def ours(self, target, numbers, fate, options=(), kind="ours"):
        command = [f"{TOOLS}/sum-client", "--target", target, "--connect-timeout", f"{PATIENCE}s", *options]
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        client = subprocess.Popen(command, **pipes)
        text = "".join(f"{number}\n" for number in numbers).encode()
        if fate != "finished":
            client.stdin.write(text[: text.rfind(b"\n", 0, len(text) // 2) + 1])
            client.stdin.flush()
            time.sleep(random.random() / 10)
            client.send_signal(signal.SIGKILL if fate == "killed" else signal.SIGTERM)
            client.wait(PATIENCE)
            output, errors = client.communicate()
            # A client that is interrupted while it starts has not set up its handler yet.
            expected = [-signal.SIGKILL] if fate == "killed" else [130, -signal.SIGTERM]
            bad = client.returncode not in expected or output
            return self.count(f"{kind} {fate}", (client.returncode, output, errors) if bad else None)
        output, errors = client.communicate(text, timeout=PATIENCE)
        bad = client.returncode != 0 or output != b"%d\n" % sum(numbers)
        self.count(f"{kind} finished", (client.returncode, output, errors, sum(numbers)) if bad else None)

    def grpcio(self, channel, numbers, fate, compression, kind):
        call = channel.stream_unary(
            "/tutorial.NumberService/SumNumbers",
            request_serializer=messages.NumberRequest.SerializeToString,
            response_deserializer=messages.NumberResponse.FromString,
        ).future(
            (messages.NumberRequest(num=number) for number in numbers),
            timeout=PATIENCE,
            wait_for_ready=True,
            compression=compression,
        )
        if fate != "finished":
            time.sleep(random.random() / 100)
            call.cancel() if fate == "cancelled" else channel.close()
        try:
            total = call.result().sum
            self.count(f"{kind} {fate}", (total, sum(numbers)) if total != sum(numbers) else None)
        except grpc.FutureCancelledError:
            self.count(f"{kind} {fate}", "cancelled by itself" if fate == "finished" else None)
        except grpc.RpcError as error:
            bad = fate == "finished" or error.code() != grpc.StatusCode.CANCELLED
            self.count(f"{kind} {fate}", (error.code(), error.details()) if bad else None)

    def work(self):
        channels = {target: grpc.insecure_channel(target) for target in self.targets}
        while self.elapsed() < SECONDS:
            self.throttle()
            target = random.choice(self.targets)
            fates = {"finished": 1 - CANCELLED - KILLED, "cancelled": CANCELLED, "killed": KILLED}
            fate = random.choices(list(fates), list(fates.values()))[0]
            is_ours, is_compressed = random.random() < 0.5, random.random() < COMPRESSED
            kind = ("ours" if is_ours else "grpcio") + (" compressed" if is_compressed else "")
            length = int(10 ** random.uniform(0, 6 if is_ours else 4)) - 1
            numbers = [random.randint(-1000, 1000) for _ in range(min(length, 1000))]
            numbers *= max(1, length // 1000)
            if is_ours:
                options = ["--compress", "gzip"] if is_compressed else []
                # Half of the clients are ours.
                if fate == "finished" and random.random() < 2 * RETRIED:
                    options += ["--retry", "30"]
                    target, numbers, kind = self.cutting.address, numbers[:RETRIABLE], kind + " retried"
                self.ours(target, numbers, fate, options, kind)
            else:
                compression = grpc.Compression.Gzip if is_compressed else grpc.Compression.NoCompression
                # A connection that goes away in the middle of its calls, or one that stays.
                channel = grpc.insecure_channel(target) if fate == "killed" else channels[target]
                self.grpcio(channel, numbers, fate, compression, kind)
        for channel in channels.values():
            channel.close()

    def restart(self):
        """Drains one of the servers, and starts it again at the same address."""
        self.past_cpu += self.restarted.cpu()
        status = self.restarted.drain()
        self.count("restarts", f"exit {status}" if status else None)
        self.restarted = Server(self.restarted.address)

    def run(self):
        workers = [threading.Thread(target=self.work) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        samples = []
        for step in range(1, 21):
            while self.elapsed() < SECONDS * step / 20:
                time.sleep(min(1, SECONDS / 100))
            samples.append((self.steady.memory(), self.steady.descriptors()))
            self.report(f"{self.elapsed():.0f} s", samples[-1])
            if step % 2 == 0 and step < 20:
                self.restart()
        for worker in workers:
            worker.join(PATIENCE)
            if worker.is_alive():
                self.failures.append("a call does not end")
        # Connections that their clients have left behind end within moments.
        limit = time.monotonic() + 60
        while self.steady.descriptors() > self.idle_descriptors and time.monotonic() < limit:
            time.sleep(0.1)
        end = (self.steady.memory(), self.steady.descriptors())
        self.report("at the end", end)
        # By a tenth of the time all that a server needs is there.
        if end[0] > samples[1][0] * 1.1 + 4096 or end[1] > self.idle_descriptors:
            self.failures.append(f"the server grew: {samples[1]} became {end}")
        for server in (self.steady, self.restarted):
            if server.drain() != 0:
                self.failures.append("a server did not end well")

    def report(self, when, sample):
        with self.lock:
            counts = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        print(f"{when}: {sample[0]} KiB, {sample[1]} descriptors; {counts}", flush=True)


soak = Soak()
soak.idle_descriptors = soak.steady.descriptors()
soak.run()
print(*soak.failures, sep="\n")
print("soak:", f"{len(soak.failures)} failures" if soak.failures else "all is well")
# grpcio's threads may linger.
sys.stdout.flush()
os._exit(1 if soak.failures else 0)
