"""Python's grpcio as the other end of Tests/Stubs/Protos/four_kinds.proto.

Usage: stubs.py FOLDER call ADDRESS | stubs.py FOLDER serve
"""

import sys
import threading
from concurrent import futures

import grpc
from protos import Service

service = Service(sys.argv[1], "four_kinds.proto", "stubs.v1.FourKinds")
Number = service.message("Number")


class FourKinds:
    def Double(request, context):
        if request.value < 0:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{request.value} is negative")
        return Number(value=2 * request.value)

    def Total(requests, context):
        return Number(value=sum(request.value for request in requests))

    BatchTotal = Total

    def CountTo(request, context):
        for value in range(1, request.value + 1):
            yield Number(value=value)

    def Running(requests, context):
        total = 0
        for request in requests:
            total += request.value
            yield Number(value=total)


def call(address):
    with grpc.insecure_channel(address) as channel:
        client = service.client(channel)
        options = {"timeout": 60}
        many = lambda count: (Number(value=value) for value in range(1, count + 1))
        print("unary", client.Double(Number(value=21), **options).value)
        print("client", client.Total(many(10), **options).value)
        print("server", [response.value for response in client.CountTo(Number(value=3), **options)])
        print("both", [response.value for response in client.Running(many(3), **options)])
        print("batch", client.BatchTotal(many(10_000), **options).value)
        try:
            client.Double(Number(value=-1), **options)
        except grpc.RpcError as error:
            print("refused", error.code().name, error.details())


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((service.handler(FourKinds),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    threading.Event().wait()


if sys.argv[2] == "serve":
    serve()
else:
    call(sys.argv[3])
