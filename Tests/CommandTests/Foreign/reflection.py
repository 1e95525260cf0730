"""grpcio's reflection package asks, and calls what it is told of. Usage: reflection.py TARGET < numbers

Prints the services; the file of some symbols; and answers of calls whose messages are made from reflection alone:
the sum of the numbers, the health of all services, and the services again as version v1 lists them. Its own protos
are those of v1alpha. A failed call prints its status code.
"""

import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import MessageFactory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


class Method:
    """A hosted method, and its messages, known from reflection."""

    def __init__(self, channel, pool, service, name):
        method = pool.FindServiceByName(service).methods_by_name[name]
        self.channel = channel
        self.path = f"/{service}/{name}"
        factory = MessageFactory(pool)
        self.Request = factory.GetPrototype(method.input_type)
        self.Response = factory.GetPrototype(method.output_type)

    def callable(self, kind):
        return getattr(self.channel, kind)(
            self.path,
            request_serializer=self.Request.SerializeToString,
            response_deserializer=self.Response.FromString,
        )


def main(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    print("v1alpha:", *database.get_services())
    pool = DescriptorPool(database)
    for symbol in ("tutorial.NumberService.SumNumbers", "grpc.health.v1.HealthCheckResponse.ServingStatus", "x.Y"):
        try:
            print(symbol, "is in", database.FindFileContainingSymbol(symbol).name)
        except KeyError:
            print(symbol, "is not known")

    sum_numbers = Method(channel, pool, "tutorial.NumberService", "SumNumbers")
    numbers = (sum_numbers.Request(num=int(line)) for line in sys.stdin)
    print("sum:", sum_numbers.callable("stream_unary")(numbers).sum)

    health = Method(channel, pool, "grpc.health.v1.Health", "List")
    statuses = health.callable("unary_unary")(health.Request()).statuses
    print("health:", *sorted(f"{service!r}={answer.status}" for service, answer in statuses.items()))

    info = Method(channel, pool, "grpc.reflection.v1.ServerReflection", "ServerReflectionInfo")
    requests = [
        info.Request(list_services=""),
        info.Request(file_by_filename="tutorial.proto"),
        info.Request(all_extension_numbers_of_type="x.Y"),
    ]
    services, file, unknown = info.callable("stream_stream")(iter(requests))
    print("v1:", *(service.name for service in services.list_services_response.service))
    print("files:", len(file.file_descriptor_response.file_descriptor_proto))
    print("error:", unknown.error_response.error_code, unknown.error_response.error_message)


with grpc.insecure_channel(sys.argv[1]) as channel:
    grpc.channel_ready_future(channel).result()
    try:
        main(channel)
    except grpc.RpcError as error:
        print(error.code().name)
