"""Python's grpcio as the other end of a program in Examples.

Usage: examples.py EXAMPLES NAME call ADDRESS [ARGUMENT ...] | examples.py EXAMPLES NAME serve [ARGUMENT ...]
"""

import queue
import sys
import threading
from concurrent import futures

import grpc
from protos import Service

examples, name, role = sys.argv[1:4]
words = sys.argv[4:]
proto, service_name = {
    "hello": ("hello.proto", "hello.v1.Greeter"),
    "route-guide": ("route_guide.proto", "routes.v1.Guide"),
    "chat": ("chat.proto", "chat.v1.Chat"),
    "tls-echo": ("echo.proto", "echo.v1.Echo"),
    "upload": ("upload.proto", "upload.v1.Uploads"),
    "batch": ("batch.proto", "statistics.v1.Statistics"),
    "tutorial": ("tutorial.proto", "tutorial.NumberService"),
}[name]
folder = f"{examples}/{name}" + ("" if name == "tutorial" else "/Protos")
service = Service(folder, proto, service_name)
M = service.message
OPTIONS = {"timeout": 300}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def fnv(chunks):
    count, value = 0, 0xCBF29CE484222325
    for chunk in chunks:
        count += len(chunk)
        for byte in chunk:
            value = (value ^ byte) * 0x100000001B3 & (1 << 64) - 1
    return {"bytes": count, "hash": value}


class Hello:
    def Greet(request, context):
        return M("GreetResponse")(text=f"Hello from Python, {request.name}!")

    def call(client, who):
        print(client.Greet(M("GreetRequest")(name=who), **OPTIONS).text)
        try:
            client.Greet(M("GreetRequest")(), **OPTIONS)
        except grpc.RpcError as error:
            print(error.code().name, error.details())


class RouteGuide:
    def Find(request, context):
        if request.east != 0:
            context.abort(grpc.StatusCode.NOT_FOUND, "nothing there")
        return M("Sight")(name="hall", at=request)

    def List(request, context):
        for at in (request.low, request.high):
            yield M("Sight")(name=f"corner {at.east}", at=at)

    def Measure(requests, context):
        return M("Walk")(points=len(list(requests)), sights=1, metres=700)

    def Leave(requests, context):
        for request in requests:
            yield M("Note")(text=f"before {request.text}")

    def call(client):
        Point, Note = M("Point"), M("Note")
        print(client.Find(Point(east=300, north=400), **OPTIONS).name)
        area = M("Area")(low=Point(east=-3000, north=0), high=Point(east=10, north=1000))
        print([sight.name for sight in client.List(area, **OPTIONS)])
        walk = client.Measure(iter([Point(), Point(east=3, north=4), Point()]), **OPTIONS)
        print(walk.points, walk.sights, walk.metres)
        notes = (Note(at=Point(east=1), text=text) for text in ("a", "b", "c"))
        print([note.text for note in client.Leave(notes, **OPTIONS)])


class Chat:
    def Join(requests, context):
        context.send_initial_metadata(())
        for line in requests:
            yield M("Line")(**{"from": "python"}, text=f"you said {line.text}")

    def call(client):
        """One joins, another speaks, and then both leave."""
        Line = M("Line")
        lines = [queue.Queue() for _ in range(2)]
        calls = [client.Join(iter(queue.get, None), **OPTIONS) for queue in lines]
        for call in calls:
            call.initial_metadata()
        lines[0].put(Line(**{"from": "a"}, text="hello"))
        heard = next(calls[1])
        print(getattr(heard, "from"), heard.text)
        for one in lines:
            one.put(None)
        print([list(call) for call in calls])


class TLSEcho:
    def Say(request, context):
        token = dict(context.invocation_metadata()).get("authorization")
        if token != f"Bearer {read(f'{words[0]}/token').decode().strip()}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong token")
        return M("Words")(text=f"python heard {request.text}")

    def call(client, folder):
        token = read(f"{folder}/token").decode().strip()
        for word in (token, "0123456789abcdef"):
            try:
                metadata = [("authorization", f"Bearer {word}")]
                print(client.Say(M("Words")(text="hi"), metadata=metadata, **OPTIONS).text)
            except grpc.RpcError as error:
                print(error.code().name)


class Upload:
    def Upload(requests, context):
        return M("Receipt")(**fnv(chunk.data for chunk in requests))

    def call(client, path):
        data = read(path)
        chunks = [data[start : start + 65536] for start in range(0, len(data), 65536)]
        receipt = client.Upload((M("Chunk")(data=chunk) for chunk in chunks), **OPTIONS)
        print(receipt.bytes, receipt == M("Receipt")(**fnv(chunks)))
        try:
            client.Upload(iter([M("Chunk")(data=bytes(65537))]), **OPTIONS)
        except grpc.RpcError as error:
            print(error.code().name)


class Batch:
    def Summarize(requests, context):
        values = [request.value for request in requests]
        return M("Summary")(count=len(values), sum=sum(values), least=min(values), greatest=max(values))

    def call(client, count):
        values = (M("Sample")(value=value) for value in range(-5, int(count) - 5))
        summary = client.Summarize(values, **OPTIONS)
        print(summary.count, summary.sum, summary.least, summary.greatest)


class Tutorial:
    def SumNumbers(requests, context):
        return M("NumberResponse")(sum=sum(request.num for request in requests))

    def call(client):
        for numbers in (range(1, 11), [2147483647, 1]):
            try:
                requests = (M("NumberRequest")(num=number) for number in numbers)
                print(client.SumNumbers(requests, **OPTIONS).sum)
            except grpc.RpcError as error:
                print(error.code().name, error.details())


implementation = {
    "hello": Hello,
    "route-guide": RouteGuide,
    "chat": Chat,
    "tls-echo": TLSEcho,
    "upload": Upload,
    "batch": Batch,
    "tutorial": Tutorial,
}[name]

if role == "call":
    if name == "tls-echo":
        credentials = grpc.ssl_channel_credentials(read(f"{words[1]}/ca.pem"))
        channel = grpc.secure_channel(words[0], credentials)
    else:
        channel = grpc.insecure_channel(words[0])
    with channel:
        implementation.call(service.client(channel), *words[1:])
else:
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((service.handler(implementation),))
    if name == "tls-echo":
        pair = (read(f"{words[0]}/server-key.pem"), read(f"{words[0]}/server.pem"))
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    threading.Event().wait()
