"""Python's grpcio as a server, on a free port, which it prints. The first number may ask for something special.

With --cert CERTIFICATE KEY it speaks TLS, and with --ca CA as well it wants certificates of clients.
"""

import argparse
import time
from concurrent import futures

import grpc
import tutorial_pb2 as messages

SPECIAL = range(-1000001, -1000008, -1)
EARLY_ERROR, EARLY_SUM, SILENCE, RICH_ERROR, COMPRESSED, SLOW, METADATA = SPECIAL

# A google.rpc.Status with one google.rpc.ErrorInfo: reason "TIRED", domain "example.com".
INFO = b"\n\x05TIRED\x12\x0bexample.com"
TYPE = b"type.googleapis.com/google.rpc.ErrorInfo"
DETAIL = b"\n" + bytes([len(TYPE)]) + TYPE + b"\x12" + bytes([len(INFO)]) + INFO
DETAILS = b"\x08\x09\x12\x04rest\x1a" + bytes([len(DETAIL)]) + DETAIL


def sum_numbers(requests, context):
    total = 0
    reply = b""
    for request in requests:
        if request.num == EARLY_ERROR:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "enough: 100 %\x1b")
        if request.num == EARLY_SUM:
            return messages.NumberResponse(sum=7).SerializeToString()
        if request.num == SILENCE:
            time.sleep(60)
        if request.num == RICH_ERROR:
            context.set_trailing_metadata([("grpc-status-details-bin", DETAILS)])
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "rest")
        if request.num == COMPRESSED:
            # C-core compresses only what becomes shorter: here an unknown field, whose bytes repeat.
            context.set_compression(grpc.Compression.Gzip)
            reply = b"\x12\xe8\x07" + b"x" * 1000
        if request.num == SLOW:
            time.sleep(0.5)
        if request.num == METADATA:
            seen = sorted(context.invocation_metadata())
            context.abort(grpc.StatusCode.ABORTED, " ".join(f"{key}={value!r}" for key, value in seen))
        if request.num not in SPECIAL:
            total += request.num
    return messages.NumberResponse(sum=total).SerializeToString() + reply


handler = grpc.stream_unary_rpc_method_handler(
    sum_numbers, request_deserializer=messages.NumberRequest.FromString
)
server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers(
    (grpc.method_handlers_generic_handler("tutorial.NumberService", {"SumNumbers": handler}),)
)
parser = argparse.ArgumentParser()
parser.add_argument("time", nargs="?", type=float, default=120)
parser.add_argument("--cert", nargs=2)
parser.add_argument("--ca")
arguments = parser.parse_args()


def read(path):
    with open(path, "rb") as file:
        return file.read()


if arguments.cert:
    certificate, key = map(read, arguments.cert)
    roots = read(arguments.ca) if arguments.ca else None
    credentials = grpc.ssl_server_credentials([(key, certificate)], roots, roots is not None)
    port = server.add_secure_port("127.0.0.1:0", credentials)
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"listening on 127.0.0.1:{port}", flush=True)
server.wait_for_termination(timeout=arguments.time)
