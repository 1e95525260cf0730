"""Python's grpcio as a client of SumNumbers, which reads numbers from standard input.

Prints the sum, or the status code and message, and with --error-info also the first google.rpc.ErrorInfo.
"""

import argparse
import sys
import threading
import time

import grpc
import tutorial_pb2 as messages
from google.rpc import error_details_pb2
from grpc_status import rpc_status

parser = argparse.ArgumentParser()
parser.add_argument("target")
parser.add_argument("--timeout", type=float)
parser.add_argument("--pause", type=float, default=0, help="seconds between numbers")
parser.add_argument("--compression", choices=["NoCompression", "Deflate", "Gzip"], default="NoCompression")
parser.add_argument("--cancel", action="store_true", help="cancel when all numbers are sent")
parser.add_argument("--ca", help="connect by TLS, and believe this CA")
parser.add_argument("--cert", nargs=2, metavar=("CERTIFICATE", "KEY"), help="certificate and key of the client")
parser.add_argument("--token", help="bearer token to send: over TLS as call credentials, otherwise as metadata")
parser.add_argument("--error-info", action="store_true", help="print the ErrorInfo of a failed call")
arguments = parser.parse_args()
# grpcio asks for the numbers on a thread of its own, which may be ahead of the one that is given the call.
has_call = threading.Event()


def requests():
    for line in sys.stdin:
        yield messages.NumberRequest(num=int(line))
        time.sleep(arguments.pause)
    if arguments.cancel:
        has_call.wait()
        call.cancel()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def connect():
    if not arguments.ca:
        return grpc.insecure_channel(arguments.target)
    certificate, key = map(read, arguments.cert) if arguments.cert else (None, None)
    credentials = grpc.ssl_channel_credentials(read(arguments.ca), key, certificate)
    if arguments.token:
        token = grpc.access_token_call_credentials(arguments.token)
        credentials = grpc.composite_channel_credentials(credentials, token)
    return grpc.secure_channel(arguments.target, credentials)


def metadata():
    if arguments.token and not arguments.ca:
        return [("authorization", "Bearer " + arguments.token)]
    return None


with connect() as channel:
    sum_numbers = channel.stream_unary(
        "/tutorial.NumberService/SumNumbers",
        request_serializer=messages.NumberRequest.SerializeToString,
        response_deserializer=messages.NumberResponse.FromString,
    )
    call = sum_numbers.future(
        requests(),
        timeout=arguments.timeout,
        metadata=metadata(),
        wait_for_ready=not arguments.ca,
        compression=grpc.Compression[arguments.compression],
    )
    has_call.set()
    try:
        print(call.result().sum)
    except grpc.FutureCancelledError:
        print("CANCELLED")
    except grpc.RpcError as error:
        print(error.code().name, error.details())
        if arguments.error_info:
            info = error_details_pb2.ErrorInfo()
            # It raises an error unless the details have the same code and message.
            rpc_status.from_call(error).details[0].Unpack(info)
            print(info.reason, info.domain, *(f"{key}={info.metadata[key]}" for key in sorted(info.metadata)))
