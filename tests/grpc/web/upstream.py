"""The service of the suite by gRPC-Web (Sonora): `upstream.py PORT`. It has the methods that the clients of the web call."""

import sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import grpc
from interop import interop_pb2 as pb
from interop import interop_pb2_grpc, payload_pb2
from sonora.wsgi import grpcWSGI


class Interop(interop_pb2_grpc.InteropServicer):
    def Unary(self, request, context):
        if request.HasField("status"):
            context.abort(grpc.StatusCode.NOT_FOUND, request.status.message)
        return pb.Response(payload=payload_pb2.Payload(text=request.payload.text.upper()), total=len(request.payload.text), kind=pb.LOUD)

    def Count(self, request, context):
        for number, wanted in enumerate(request.wanted):
            yield pb.Response(payload=payload_pb2.Payload(body=b"\0" * wanted.size), total=number)


class Quiet(WSGIRequestHandler):
    def log_message(self, *words):
        pass


class Server(WSGIServer):
    allow_reuse_address = True


if __name__ == "__main__":
    app = grpcWSGI(None)
    interop_pb2_grpc.add_InteropServicer_to_server(Interop(), app)
    make_server("127.0.0.1", int(sys.argv[1]), app, Server, Quiet).serve_forever()
