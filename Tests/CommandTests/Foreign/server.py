"""Python's grpcio as a server, on a free port, which it prints. It misbehaves when the first number asks for it."""

import sys
import time
from concurrent import futures

import grpc
import tutorial_pb2 as messages

EARLY_ERROR, EARLY_SUM, SILENCE = -1000001, -1000002, -1000003


def sum_numbers(requests, context):
    total = 0
    for request in requests:
        if request.num == EARLY_ERROR:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "enough: 100 %\x1b")
        if request.num == EARLY_SUM:
            return messages.NumberResponse(sum=7)
        if request.num == SILENCE:
            time.sleep(60)
        total += request.num
    return messages.NumberResponse(sum=total)


handler = grpc.stream_unary_rpc_method_handler(
    sum_numbers,
    request_deserializer=messages.NumberRequest.FromString,
    response_serializer=messages.NumberResponse.SerializeToString,
)
server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers(
    (grpc.method_handlers_generic_handler("tutorial.NumberService", {"SumNumbers": handler}),)
)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"listening on 127.0.0.1:{port}", flush=True)
server.wait_for_termination(timeout=float(sys.argv[1]) if len(sys.argv) > 1 else 120)
