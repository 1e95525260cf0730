"""Python's grpcio as a client. Usage: client.py TARGET [TIMEOUT [PAUSE]] < numbers

Prints the sum, or the status code and message. PAUSE is the seconds between numbers.
"""

import sys
import time

import grpc
import tutorial_pb2 as messages

target = sys.argv[1]
timeout = float(sys.argv[2]) if len(sys.argv) > 2 else None
pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0


def requests():
    for line in sys.stdin:
        yield messages.NumberRequest(num=int(line))
        time.sleep(pause)


with grpc.insecure_channel(target) as channel:
    sum_numbers = channel.stream_unary(
        "/tutorial.NumberService/SumNumbers",
        request_serializer=messages.NumberRequest.SerializeToString,
        response_deserializer=messages.NumberResponse.FromString,
    )
    try:
        print(sum_numbers(requests(), timeout=timeout, wait_for_ready=True).sum)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
