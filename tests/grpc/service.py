"""The service of the suite: `service.py PORT [SECURE]`. It is the dependency of the apps, and an app itself.

It has health checks and reflection. On the port SECURE it serves over TLS, with the key and certificate at CERTIFICATE. With `BUG=grpc_status` it answers what it does not find with another status.
"""

import os
import sys
from concurrent import futures
from pathlib import Path

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from interop import interop_pb2 as pb
from interop import interop_pb2_grpc, payload_pb2

INITIAL, TRAILING = "x-suite-initial", "x-suite-trailing-bin"


def note(context):
    """Sends back the metadata that a client sends to see it again."""
    sent = dict(context.invocation_metadata())
    if INITIAL in sent:
        context.send_initial_metadata([(INITIAL, sent[INITIAL])])
    if TRAILING in sent:
        context.set_trailing_metadata([(TRAILING, sent[TRAILING])])


def fail(context, wanted):
    """Ends a call with the status that was asked for; a missing thing has details."""
    code = next(code for code in grpc.StatusCode if code.value[0] == wanted.code)
    if code is grpc.StatusCode.NOT_FOUND:
        if os.environ.get("BUG") == "grpc_status":
            context.abort(grpc.StatusCode.INTERNAL, wanted.message)
        detail = any_pb2.Any()
        detail.Pack(error_details_pb2.ErrorInfo(reason="NO_SUCH_ORDER", domain="suite"))
        context.abort_with_status(rpc_status.to_status(status_pb2.Status(code=wanted.code, message=wanted.message, details=[detail])))
    context.abort(code, wanted.message)


def press(context, wanted):
    """Compresses what is answered, if that was asked for of any part of it."""
    if any(one.compressed for one in wanted):
        context.set_compression(grpc.Compression.Gzip)


class Interop(interop_pb2_grpc.InteropServicer):
    def Nothing(self, request, context):
        return pb.Empty()

    def Unary(self, request, context):
        note(context)
        if request.HasField("status"):
            fail(context, request.status)
        press(context, request.wanted)
        size = request.wanted[0].size if request.wanted else 0
        return pb.Response(payload=payload_pb2.Payload(body=b"\0" * size, text=request.payload.text), total=len(request.payload.body), kind=request.kind)

    def Sum(self, requests, context):
        context.send_initial_metadata([])
        return pb.Response(total=sum(len(request.payload.body) for request in requests))

    def Count(self, request, context):
        press(context, request.wanted)
        for number, wanted in enumerate(request.wanted):
            if not wanted.compressed:
                context.disable_next_message_compression()
            yield pb.Response(payload=payload_pb2.Payload(body=b"\0" * wanted.size), total=number)
        if request.HasField("status"):
            fail(context, request.status)

    def Talk(self, requests, context):
        note(context)
        for request in requests:
            if request.HasField("status"):
                fail(context, request.status)
            for wanted in request.wanted:
                yield pb.Response(payload=payload_pb2.Payload(body=b"\0" * wanted.size, text=request.payload.text))


if __name__ == "__main__":
    server = grpc.server(futures.ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
    interop_pb2_grpc.add_InteropServicer_to_server(Interop(), server)
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    reflection.enable_server_reflection(["interop.Interop", reflection.SERVICE_NAME], server)
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    for port in sys.argv[2:]:
        pem = Path(os.environ["CERTIFICATE"])
        server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials([(pem.with_suffix(".key").read_bytes(), pem.read_bytes())]))
    server.start()
    server.wait_for_termination()
