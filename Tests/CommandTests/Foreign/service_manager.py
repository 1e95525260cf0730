"""Stands in for systemd: opens sockets, starts a server with them, and prints what the server tells it.

Usage: service_manager.py [--watchdog MICROSECONDS] [--block N] [--tcp NAME] [--unix NAME=PATH] [--datagram NAME] [--accepted NAME]
           -- COMMAND ...

Prints `listening on ADDRESS` for the first socket on standard output, and `told: MESSAGE`, `exited: STATUS` on standard
error, among what the server writes there. SIGINT restarts the server, SIGHUP is handed on, SIGTERM stops it. With
`--block N`, one of the server's event loops, and no other thread, stops after the server has fed its watchdog N times, as if a
handler blocked. If the watchdog is not fed in time afterwards, `expired` is printed, and the server is killed.
"""

import ctypes
import glob
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading

words = sys.argv[1 : sys.argv.index("--")]
command = sys.argv[sys.argv.index("--") + 1 :]
sockets, names, watchdog, kept, block_after = [], [], None, [], None
for option, value in zip(words[::2], words[1::2]):
    name, _, path = value.partition("=")
    if option == "--watchdog":
        watchdog = value
        continue
    if option == "--block":
        block_after = int(value)
        continue
    if option == "--tcp":
        made = socket.create_server(("127.0.0.1", 0), backlog=4096)
    elif option == "--unix":
        made = socket.socket(socket.AF_UNIX)
        made.bind(path)
        made.listen(4096)
    elif option == "--datagram":
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    else:
        listener = socket.create_server(("127.0.0.1", 0))
        kept.append(socket.create_connection(listener.getsockname()))
        made = listener.accept()[0]
    sockets.append(made)
    names.append(name)

notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
folder = tempfile.TemporaryDirectory()
notifications.bind(folder.name + "/notify")


def say(text):
    os.write(2, (text + "\n").encode())


# What the main thread sends after the server has ended, to know that all before it was heard.
END = "end"
heard_all = threading.Event()


def hear():
    global block_after
    fed, blocked = 0, None
    while True:
        patience = int(watchdog) / 1e6 if block_after and fed >= block_after else None
        if not select.select([notifications], [], [], patience)[0]:
            say("expired")
            # PTRACE_DETACH, since a process that is traced does not end before its tracer has asked about it.
            libc.ptrace(17, blocked, None, None)
            server.kill()
            fed, block_after = 0, None
            continue
        message = notifications.recv(4096).decode().replace("\n", " ")
        if message == END:
            heard_all.set()
            continue
        say("told: " + message)
        if message == "WATCHDOG=1":
            fed += 1
            if fed == block_after:
                blocked = block_event_loop(server.pid)


libc = ctypes.CDLL(None, use_errno=True)


def block_event_loop(process):
    for path in glob.glob(f"/proc/{process}/task/*/comm"):
        with open(path) as name:
            if name.read().startswith("NIO-"):
                thread = int(path.split("/")[4])
                # PTRACE_ATTACH stops the thread that it names, and no other.
                if libc.ptrace(16, thread, None, None) != 0:
                    raise OSError(ctypes.get_errno(), "ptrace")
                say("an event loop is blocked")
                return thread
    raise RuntimeError("there is no event loop")


threading.Thread(target=hear, daemon=True).start()


def start():
    environment = dict(os.environ, NOTIFY_SOCKET=folder.name + "/notify")
    if sockets:
        environment |= {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": ":".join(names)}
    if watchdog:
        environment["WATCHDOG_USEC"] = watchdog
    # A shell knows the id that its successor will have, which Python's child could say only between fork and exec.
    moves = " ".join(f"{3 + index}<&{made.fileno()} {made.fileno()}<&-" for index, made in enumerate(sockets))
    for made in sockets:
        # Above the numbers that the sockets will have.
        os.set_inheritable(made.fileno(), True)
    script = f'LISTEN_PID=$$; export LISTEN_PID; exec "$@" {moves}' if sockets else 'exec "$@"'
    return subprocess.Popen(
        ["bash", "-c", script, "manager", *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[made.fileno() for made in sockets],
    )


# High numbers, so that moving one does not overwrite another.
sockets = [socket.socket(fileno=os.dup2(made.detach(), 100 + index)) for index, made in enumerate(sockets)]
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD])
server = start()
if sockets:
    address = sockets[0].getsockname()
    print("listening on", f"unix:{address}" if isinstance(address, str) else "%s:%d" % address, flush=True)
else:
    print("listening on nothing", flush=True)
while True:
    wish = signal.sigwait([signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD])
    if wish == signal.SIGHUP:
        server.send_signal(signal.SIGHUP)
        continue
    if wish in (signal.SIGINT, signal.SIGTERM):
        server.terminate()
    elif server.poll() is None:
        continue
    status = server.wait()
    heard_all.clear()
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(END.encode(), folder.name + "/notify")
    heard_all.wait(10)
    say(f"exited: {status}")
    if wish != signal.SIGINT:
        sys.exit(status)
    server = start()
