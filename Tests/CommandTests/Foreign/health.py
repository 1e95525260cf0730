"""Python's grpcio asks for health. Usage: health.py TARGET SERVICE

Prints what Check and the first answer of Watch say, or the status code.
"""

import sys

import grpc
import health_pb2 as messages

target, service = sys.argv[1:]
request = messages.HealthCheckRequest(service=service)
codec = {
    "request_serializer": messages.HealthCheckRequest.SerializeToString,
    "response_deserializer": messages.HealthCheckResponse.FromString,
}
name = messages.HealthCheckResponse.ServingStatus.Name
with grpc.insecure_channel(target) as channel:
    try:
        check = channel.unary_unary("/grpc.health.v1.Health/Check", **codec)
        print(name(check(request, wait_for_ready=True).status))
    except grpc.RpcError as error:
        print(error.code().name)
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch", **codec)(request)
    print(name(next(watch).status))
    watch.cancel()
