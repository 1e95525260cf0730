"""A receiver of OTLP on Python's grpcio, on a free port, which it prints. What it gets, it writes on standard error, a
line for each span and each point.

With --cert CERTIFICATE KEY it speaks TLS, and with --ca CA as well it wants certificates of clients. With --fail N it
first answers N calls of each kind with UNAVAILABLE.
"""

import argparse
import sys
from concurrent import futures

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as traces_service

parser = argparse.ArgumentParser()
parser.add_argument("--time", type=float, default=300)
parser.add_argument("--cert", nargs=2)
parser.add_argument("--ca")
parser.add_argument("--fail", type=int, default=0)
arguments = parser.parse_args()
left = {"spans": arguments.fail, "metrics": arguments.fail}


def say(text):
    # In one piece, since several threads write.
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def answer(kind, context):
    fields = dict(context.invocation_metadata())
    say(f"call {kind} agent={fields['user-agent'].split('/')[0]} key={fields.get('api-key', '')}")
    if left[kind] > 0:
        left[kind] -= 1
        context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")


def values(attributes):
    pairs = [(pair.key, getattr(pair.value, pair.value.WhichOneof("value"))) for pair in attributes]
    return ",".join(f"{key}={value}" for key, value in sorted(pairs))


def service(resource):
    return {pair.key: pair.value.string_value for pair in resource.attributes}["service.name"]


class Traces(traces_service.TraceServiceServicer):
    def Export(self, request, context):
        answer("spans", context)
        for part in request.resource_spans:
            for span in (span for scope in part.scope_spans for span in scope.spans):
                say(
                    f"span {service(part.resource)} {span.name} trace={span.trace_id.hex()} id={span.span_id.hex()} "
                    f"parent={span.parent_span_id.hex()} flags={span.flags:x} kind={span.kind} "
                    f"status={span.status.code} state={span.trace_state} {values(span.attributes)}"
                )
        return traces.ExportTraceServiceResponse()


class Metrics(metrics_service.MetricsServiceServicer):
    def Export(self, request, context):
        answer("metrics", context)
        for part in request.resource_metrics:
            for metric in (metric for scope in part.scope_metrics for metric in scope.metrics):
                kind = metric.WhichOneof("data")
                data = getattr(metric, kind)
                for point in data.data_points:
                    if kind == "histogram":
                        value = f"{point.count} {sum(point.bucket_counts)} {len(point.explicit_bounds)}"
                    else:
                        value = getattr(point, point.WhichOneof("value"))
                    say(f"{kind} {service(part.resource)} {metric.name} {{{values(point.attributes)}}} {value}")
        say("metrics end")
        return metrics.ExportMetricsServiceResponse()


def read(path):
    with open(path, "rb") as file:
        return file.read()


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
traces_service.add_TraceServiceServicer_to_server(Traces(), server)
metrics_service.add_MetricsServiceServicer_to_server(Metrics(), server)
if arguments.cert:
    certificate, key = map(read, arguments.cert)
    roots = read(arguments.ca) if arguments.ca else None
    credentials = grpc.ssl_server_credentials([(key, certificate)], roots, roots is not None)
    port = server.add_secure_port("127.0.0.1:0", credentials)
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"listening on 127.0.0.1:{port}", flush=True)
server.wait_for_termination(timeout=arguments.time)
