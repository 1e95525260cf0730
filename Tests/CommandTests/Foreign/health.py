"""grpcio's health package asks. Usage: health.py TARGET SERVICE [PID]

Prints what Check and the first answer of Watch say. PID is a server that is then stopped with SIGTERM; what Watch
says to that is printed too. A failed call prints its status code.
"""

import os
import signal
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

target, service = sys.argv[1:3]
request = health_pb2.HealthCheckRequest(service=service)


def show(response):
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))


with grpc.insecure_channel(target) as channel:
    health = health_pb2_grpc.HealthStub(channel)
    try:
        show(health.Check(request, wait_for_ready=True))
    except grpc.RpcError as error:
        print(error.code().name)
    watch = health.Watch(request)
    show(next(watch))
    if len(sys.argv) > 3:
        os.kill(int(sys.argv[3]), signal.SIGTERM)
        try:
            for response in watch:
                show(response)
        except grpc.RpcError as error:
            print(error.code().name)
    watch.cancel()
