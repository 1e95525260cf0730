"""Python's grpcio calls the methods of the four kinds that the test hosts, and prints what it sees."""

import asyncio
import sys

import grpc
import tutorial_pb2 as messages


def show(name, call):
    metadata = lambda fields: {k: v for k, v in fields if k != "server"}
    print(name, [response.sum for response in call], end=" ")
    print(metadata(call.initial_metadata()), metadata(call.trailing_metadata()))


async def greet():
    """Waits for the headers before it sends anything."""
    async with grpc.aio.insecure_channel(sys.argv[1]) as channel:
        call = channel.stream_stream(
            "/t.T/Greet",
            request_serializer=messages.NumberRequest.SerializeToString,
            response_deserializer=messages.NumberResponse.FromString,
        )(**options)
        fields = {k: v for k, v in await call.initial_metadata() if k != "server"}
        await call.write(one)
        answer = await call.read()
        await call.done_writing()
        print("greeted", fields, answer.sum)


with grpc.insecure_channel(sys.argv[1]) as channel:

    def method(kind, name):
        return getattr(channel, kind)(
            f"/t.T/{name}",
            request_serializer=messages.NumberRequest.SerializeToString,
            response_deserializer=messages.NumberResponse.FromString,
        )

    one = messages.NumberRequest(num=3)
    many = [messages.NumberRequest(num=number) for number in (1, 2, 3)]
    options = {"metadata": [("k", "a"), ("k", "b"), ("x-bin", b"\x00\xff")], "timeout": 60}
    response, call = method("unary_unary", "Double").with_call(one, **options)
    print("unary", response.sum, call.trailing_metadata()[0][:2])
    response, call = method("stream_unary", "Largest").with_call(iter(many), **options)
    print("client", response.sum)
    show("server", method("unary_stream", "CountTo")(one, **options))
    show("both", method("stream_stream", "Running")(iter(many), compression=grpc.Compression.Gzip, **options))
    try:
        method("unary_unary", "Refuse")(one, **options)
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata())["grpc-status-details-bin"]
        print("refused", error.code().name, error.details(), details)
    endless = method("stream_stream", "Running")(iter(many * 100_000), **options)
    print("cancelled", next(endless).sum, endless.cancel(), endless.code().name)
    asyncio.run(greet())
    try:
        method("unary_unary", "Wait")(one, timeout=0.05)
    except grpc.RpcError as error:
        print("late", error.code().name)
