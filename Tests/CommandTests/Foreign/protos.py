"""Services of protos, for grpcio, without generated code."""

import subprocess

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class Service:
    """A service of a proto, with its methods."""

    def __init__(self, folder, file, name):
        command = ["protoc", "-I", folder, "--include_imports", "--descriptor_set_out=/dev/stdout", file]
        files = descriptor_pb2.FileDescriptorSet.FromString(subprocess.check_output(command)).file
        pool = descriptor_pool.DescriptorPool()
        for proto in files:
            pool.Add(proto)
        factory = message_factory.MessageFactory(pool)
        self.name = name
        self._message = lambda message: factory.GetPrototype(pool.FindMessageTypeByName(message))
        declared = next(s for f in files for s in f.service if f"{f.package}.{s.name}" == name)
        self._methods = [
            (m, self._message(m.input_type[1:]), self._message(m.output_type[1:])) for m in declared.method
        ]

    def message(self, name):
        return self._message(f"{self.name.rpartition('.')[0]}.{name}")

    @staticmethod
    def _kind(method):
        kinds = ("unary", "stream")
        return f"{kinds[method.client_streaming]}_{kinds[method.server_streaming]}"

    def client(self, channel):
        """An object with a multicallable for each method."""
        calls = {
            method.name: getattr(channel, self._kind(method))(
                f"/{self.name}/{method.name}",
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
            )
            for method, request, response in self._methods
        }
        return type("Client", (), {name: staticmethod(call) for name, call in calls.items()})

    def handler(self, implementation):
        """What a server hosts: the functions of `implementation`, which are named for the methods."""
        return grpc.method_handlers_generic_handler(
            self.name,
            {
                method.name: getattr(grpc, f"{self._kind(method)}_rpc_method_handler")(
                    getattr(implementation, method.name),
                    request_deserializer=request.FromString,
                    response_serializer=response.SerializeToString,
                )
                for method, request, response in self._methods
            },
        )
