"""Python's grpcio with the OpenTelemetry SDK, as a client or a server of SumNumbers that takes part in traces.

`server`: prints its free port. The trailers of each response name the span in which it was made (x-traceparent), that
span's parent (x-parent) and the tracestate (x-tracestate).

`client TARGET`: reads numbers from standard input and calls SumNumbers within a span, sampled unless --unsampled. Prints
the sum, and the traceparent of the span.
"""

import argparse
import sys
from concurrent import futures

import grpc
import tutorial_pb2 as messages
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

parser = argparse.ArgumentParser()
parser.add_argument("role", choices=["server", "client"])
parser.add_argument("target", nargs="?")
parser.add_argument("--unsampled", action="store_true")
parser.add_argument("--state", default="vendor=1")
arguments = parser.parse_args()

sampler = ALWAYS_OFF if arguments.unsampled else ALWAYS_ON
tracer = TracerProvider(sampler=ParentBased(sampler)).get_tracer("test")
propagator = TraceContextTextMapPropagator()


def sum_numbers(requests, context):
    carrier = {key: value for key, value in context.invocation_metadata() if not key.endswith("-bin")}
    parent = propagator.extract(carrier)
    with tracer.start_as_current_span("sum", context=parent, kind=trace.SpanKind.SERVER):
        sent = {}
        propagator.inject(sent)
        caller = trace.get_current_span(parent).get_span_context()
        context.set_trailing_metadata(
            [
                ("x-traceparent", sent.get("traceparent", "")),
                ("x-tracestate", sent.get("tracestate", "")),
                ("x-parent", format(caller.span_id, "016x")),
            ]
        )
        return messages.NumberResponse(sum=sum(request.num for request in requests))


def serve():
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
    server.wait_for_termination(timeout=300)


def call():
    channel = grpc.insecure_channel(arguments.target)
    method = channel.stream_unary(
        "/tutorial.NumberService/SumNumbers",
        request_serializer=messages.NumberRequest.SerializeToString,
        response_deserializer=messages.NumberResponse.FromString,
    )
    state = trace.TraceState.from_header([arguments.state])
    origin = trace.set_span_in_context(
        trace.NonRecordingSpan(
            trace.SpanContext(
                trace_id=0x1234567890ABCDEF1234567890ABCDEF,
                span_id=0x1234567890ABCDEF,
                is_remote=True,
                trace_flags=trace.TraceFlags(0 if arguments.unsampled else 1),
                trace_state=state,
            )
        )
    )
    with tracer.start_as_current_span("root", context=origin, kind=trace.SpanKind.CLIENT):
        sent = {}
        propagator.inject(sent)
        numbers = (messages.NumberRequest(num=int(line)) for line in sys.stdin)
        answer = method(numbers, metadata=list(sent.items()), timeout=300)
        print(answer.sum)
        print(sent["traceparent"])


serve() if arguments.role == "server" else call()
