"""The interoperability cases of gRPC by the Python client: each returns a line that says what it saw.

`client.py TARGET [CASE ...]` prints a line for each case.
"""

import os
import queue
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status
from interop import interop_pb2 as pb
from interop import interop_pb2_grpc, payload_pb2

SIZES = [31415, 9, 2653, 58979]
SENT = [27182, 8, 1828, 45904]
LIMIT = 20  # seconds


def payload(size):
    return payload_pb2.Payload(body=b"\0" * size)


def sizes(answers):
    return ",".join(str(len(answer.payload.body)) for answer in answers)


def ended(error):
    found = rpc_status.from_call(error)
    details = "" if found is None else f" with {len(found.details)} details"
    return f"{error.code().name} {error.details()!r}{details}"


def empty_unary(stub):
    return repr(stub.Nothing(pb.Empty(), timeout=LIMIT))


def large_unary(stub):
    answer = stub.Unary(pb.Request(wanted=[pb.Wanted(size=314159)], payload=payload(271828)), timeout=LIMIT)
    return f"{len(answer.payload.body)} {answer.total}"


def fields(stub):
    request = pb.Request(kind=pb.LOUD, counts={"a": 1, "b": -2}, cents=-1990, payload=payload_pb2.Payload(text="héllo", body=b"plain"))
    request.at.FromJsonString("2026-11-20T10:00:00.123Z")
    answer = stub.Unary(request, timeout=LIMIT)
    return f"{answer.payload.text} {pb.Kind.Name(answer.kind)} {answer.total}"


def client_streaming(stub):
    return str(stub.Sum(iter([pb.Request(payload=payload(size)) for size in SENT]), timeout=LIMIT).total)


def server_streaming(stub):
    return sizes(stub.Count(pb.Request(wanted=[pb.Wanted(size=size) for size in SIZES]), timeout=LIMIT))


def talk(stub, requests):
    """The answers to requests each of which is sent after the answer to the one before."""
    turns = Turns()
    said = stub.Talk(turns, timeout=LIMIT)
    answers = []
    for request in requests:
        turns.say(request)
        answers.append(next(said))
    turns.end()
    return answers + list(said)


class Turns:
    """Requests that are said one by one."""

    def __init__(self):
        self.queue = queue.Queue()

    def say(self, request):
        self.queue.put(request)

    def end(self):
        self.queue.put(None)

    def __iter__(self):
        return self

    def __next__(self):
        request = self.queue.get()
        if request is None:
            raise StopIteration
        return request


def ping_pong(stub):
    asked = [pb.Request(wanted=[pb.Wanted(size=size)], payload=payload(sent)) for size, sent in zip(SIZES, SENT)]
    return sizes(talk(stub, asked))


def empty_stream(stub):
    return sizes(stub.Talk(iter([]), timeout=LIMIT)) or "nothing"


def custom_metadata(stub):
    sent = [("x-suite-initial", "first"), ("x-suite-trailing-bin", b"\xab\xab\xab")]
    answer, call = stub.Unary.with_call(pb.Request(), timeout=LIMIT, metadata=sent)
    first = dict(call.initial_metadata()).get("x-suite-initial")
    return f"{first} {dict(call.trailing_metadata()).get('x-suite-trailing-bin')} {answer.total}"


def status_code_and_message(stub):
    lines = []
    for status in [pb.EchoStatus(code=2, message="test status message"), pb.EchoStatus(code=2, message="\t\ntest with white space\r\nand Unicode ☺\t\n")]:
        try:
            stub.Unary(pb.Request(status=status), timeout=LIMIT)
        except grpc.RpcError as error:
            lines.append(ended(error))
    try:
        talk(stub, [pb.Request(status=pb.EchoStatus(code=9, message="in a stream"))])
    except grpc.RpcError as error:
        lines.append(ended(error))
    return "; ".join(lines)


def not_found(stub):
    try:
        stub.Unary(pb.Request(status=pb.EchoStatus(code=5, message="no such order")), timeout=LIMIT)
    except grpc.RpcError as error:
        return ended(error)


def late_status(stub):
    answers = stub.Count(pb.Request(wanted=[pb.Wanted(size=3)], status=pb.EchoStatus(code=8, message="enough")), timeout=LIMIT)
    seen = []
    try:
        for answer in answers:
            seen.append(len(answer.payload.body))
    except grpc.RpcError as error:
        return f"{seen} {ended(error)}"


def unimplemented(stub):
    try:
        stub.Missing(pb.Empty(), timeout=LIMIT)
    except grpc.RpcError as error:
        return ended(error)


def unimplemented_service(stub, channel):
    try:
        interop_pb2_grpc.NowhereStub(channel).Missing(pb.Empty(), timeout=LIMIT)
    except grpc.RpcError as error:
        return ended(error)


def refused(_, channel):
    """A stream that nobody has: it is refused before its first message or, when the environment's EAGER says how many there are, about then."""
    turns, eager = Turns(), os.environ.get("EAGER")
    for _ in range(int(eager or 0)):
        turns.say(pb.Request(payload=payload(2)))
    if eager:
        turns.end()
    spoken = {"request_serializer": pb.Request.SerializeToString, "response_deserializer": pb.Response.FromString}
    try:
        next(channel.stream_stream("/interop.Nowhere/Missing", **spoken)(turns, timeout=LIMIT))
    except grpc.RpcError as error:
        turns.end()
        return ended(error)


def cancel_after_begin(stub):
    turns = Turns()
    call = stub.Sum.future(turns, timeout=LIMIT)
    call.initial_metadata()
    call.cancel()
    turns.end()
    return f"cancelled: {call.cancelled()}"


def cancel_after_first_response(stub):
    turns = Turns()
    call = stub.Talk(turns, timeout=LIMIT)
    turns.say(pb.Request(wanted=[pb.Wanted(size=31415)], payload=payload(27182)))
    size = len(next(call).payload.body)
    call.cancel()
    turns.end()
    return f"{size} then {call.code().name}"


def timeout(stub):
    turns = Turns()
    call = stub.Talk(turns, timeout=0.2)
    turns.say(pb.Request(payload=payload(27182)))
    try:
        next(call)
    except grpc.RpcError as error:
        turns.end()
        return error.code().name


def client_compressed_unary(stub):
    plain = stub.Unary(pb.Request(payload=payload(1000)), timeout=LIMIT, compression=grpc.Compression.NoCompression)
    packed = stub.Unary(pb.Request(payload=payload(2000)), timeout=LIMIT, compression=grpc.Compression.Gzip)
    return f"{plain.total} {packed.total}"


def client_compressed_streaming(stub):
    asked = iter([pb.Request(payload=payload(27182)), pb.Request(payload=payload(45904))])
    return str(stub.Sum(asked, timeout=LIMIT, compression=grpc.Compression.Deflate).total)


def server_compressed_unary(stub):
    asked = [pb.Request(wanted=[pb.Wanted(size=314159, compressed=packed)]) for packed in (True, False)]
    return sizes(stub.Unary(request, timeout=LIMIT) for request in asked)


def server_compressed_streaming(stub):
    return sizes(stub.Count(pb.Request(wanted=[pb.Wanted(size=31415, compressed=True), pb.Wanted(size=92653)]), timeout=LIMIT))


def healthy(_, channel):
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=LIMIT)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def reflection(_, channel):
    found = ProtoReflectionDescriptorDatabase(channel)
    file = found.FindFileContainingSymbol("interop.Interop")
    methods = {service.name: [method.name for method in service.method] for service in file.service}
    return f"{'interop.Interop' in found.get_services()} {file.name} {','.join(methods['Interop'])}"


CASES = [
    empty_unary, large_unary, fields, client_streaming, server_streaming, ping_pong, empty_stream, custom_metadata, status_code_and_message,
    not_found, late_status, unimplemented, client_compressed_unary, client_compressed_streaming, cancel_after_begin, cancel_after_first_response,
    timeout, unimplemented_service, refused, server_compressed_unary, server_compressed_streaming,
    healthy, reflection,
]


def run(target, name):
    """What a case says, on a channel of its own. A target that begins with `https://` is called over TLS."""
    case = next(case for case in CASES if case.__name__ == name)
    options = [("grpc.enable_retries", 0)]
    _, secure, address = target.rpartition("https://")
    channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(), options) if secure else grpc.insecure_channel(address, options)
    with channel:
        stub = interop_pb2_grpc.InteropStub(channel)
        return case(stub, channel) if case.__code__.co_argcount == 2 else case(stub)


if __name__ == "__main__":
    for name in sys.argv[2:] or [case.__name__ for case in CASES]:
        print(f"{name}: {run(sys.argv[1], name)}")
