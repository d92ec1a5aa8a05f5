import com.google.protobuf.Any;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;

/** The service of the suite by grpc-java: `Service PORT [SECURE]`, the same methods as `../service.py`. */
public final class Service {
    private static final String NAME = "interop.Interop/";

    /** Sends back the metadata that a client sends to see it again. */
    private static final class Note implements ServerInterceptor {
        @Override
        public <Q, S> ServerCall.Listener<Q> interceptCall(ServerCall<Q, S> call, Metadata sent, ServerCallHandler<Q, S> next) {
            return next.startCall(new SimpleForwardingServerCall<>(call) {
                @Override
                public void sendHeaders(Metadata head) {
                    if (sent.containsKey(Cases.INITIAL)) {
                        head.put(Cases.INITIAL, sent.get(Cases.INITIAL));
                    }
                    super.sendHeaders(head);
                }

                @Override
                public void close(Status status, Metadata tail) {
                    if (sent.containsKey(Cases.TRAILING)) {
                        tail.put(Cases.TRAILING, sent.get(Cases.TRAILING));
                    }
                    super.close(status, tail);
                }
            }, sent);
        }
    }

    /** The status that was asked for, if any; a missing thing has details. */
    private static StatusRuntimeException failure(Message asked) {
        if (!Types.has(asked, "status")) {
            return null;
        }
        Message wanted = (Message) Types.get(asked, "status");
        Status status = Status.fromCodeValue((int) Types.get(wanted, "code")).withDescription((String) Types.get(wanted, "message"));
        if (status.getCode() != Status.Code.NOT_FOUND) {
            return status.asRuntimeException();
        } else if ("grpc_status".equals(System.getenv("BUG"))) {
            return Status.INTERNAL.withDescription(status.getDescription()).asRuntimeException();
        }
        var detail = ErrorInfo.newBuilder().setReason("NO_SUCH_ORDER").setDomain("suite").build();
        return StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                .setCode(status.getCode().value()).setMessage(status.getDescription()).addDetails(Any.pack(detail)).build());
    }

    private static DynamicMessage response(Message asked, int size, long total) {
        Object text = Types.get((Message) Types.get(asked, "payload"), "text");
        return Types.message("Response", "payload", Types.payload(size, text), "total", total);
    }

    /** Each thing that is wanted, compressed where that is. */
    private static void answer(Message asked, List<Message> wanted, StreamObserver<DynamicMessage> out, boolean numbered) {
        for (int place = 0; place < wanted.size(); place++) {
            ((ServerCallStreamObserver<DynamicMessage>) out).setMessageCompression((boolean) Types.get(wanted.get(place), "compressed"));
            out.onNext(response(asked, (int) Types.get(wanted.get(place), "size"), numbered ? place : 0));
        }
    }

    /** Compresses what is answered, if that is asked for of any part of it. */
    private static void press(List<Message> wanted, StreamObserver<DynamicMessage> out) {
        if (wanted.stream().anyMatch(one -> (boolean) Types.get(one, "compressed"))) {
            ((ServerCallStreamObserver<DynamicMessage>) out).setCompression("gzip");
        }
    }

    private static void end(Message asked, StreamObserver<DynamicMessage> out) {
        StatusRuntimeException failure = failure(asked);
        if (failure == null) {
            out.onCompleted();
        } else {
            out.onError(failure);
        }
    }

    private static void unary(DynamicMessage asked, StreamObserver<DynamicMessage> out) {
        if (!Types.has(asked, "status")) {
            List<Message> wanted = Types.list(asked, "wanted");
            press(wanted, out);
            int size = wanted.isEmpty() ? 0 : (int) Types.get(wanted.get(0), "size");
            DynamicMessage plain = response(asked, size, Types.body(asked));
            var kind = plain.getDescriptorForType().findFieldByName("kind");
            var asKind = asked.getDescriptorForType().findFieldByName("kind");
            out.onNext(plain.toBuilder().setField(kind, asked.getField(asKind)).build());
        }
        end(asked, out);
    }

    private static StreamObserver<DynamicMessage> sum(StreamObserver<DynamicMessage> out) {
        return new Heard(out) {
            private long total;

            @Override
            public void onNext(DynamicMessage asked) {
                total += Types.body(asked);
            }

            @Override
            public void onCompleted() {
                out.onNext(Types.message("Response", "total", total));
                out.onCompleted();
            }
        };
    }

    private static void count(DynamicMessage asked, StreamObserver<DynamicMessage> out) {
        List<Message> wanted = Types.list(asked, "wanted");
        press(wanted, out);
        answer(asked, wanted, out, true);
        end(asked, out);
    }

    private static StreamObserver<DynamicMessage> talk(StreamObserver<DynamicMessage> out) {
        return new Heard(out) {
            private boolean failed;

            @Override
            public void onNext(DynamicMessage asked) {
                StatusRuntimeException failure = failed ? null : failure(asked);
                if (failure != null) {
                    failed = true;
                    out.onError(failure);
                } else if (!failed) {
                    answer(asked, Types.list(asked, "wanted"), out, false);
                }
            }

            @Override
            public void onCompleted() {
                if (!failed) {
                    out.onCompleted();
                }
            }
        };
    }

    /** What a client says, until it gives up. */
    private abstract static class Heard implements StreamObserver<DynamicMessage> {
        Heard(StreamObserver<DynamicMessage> out) {
            // Without this an answer to whom has left would be an exception.
            ((ServerCallStreamObserver<DynamicMessage>) out).setOnCancelHandler(() -> {});
        }

        @Override
        public void onError(Throwable why) {}
    }

    private static ServerServiceDefinition service() {
        return ServerServiceDefinition.builder("interop.Interop")
                .addMethod(Types.method(NAME + "Nothing", MethodType.UNARY), ServerCalls.asyncUnaryCall((asked, out) -> {
                    out.onNext(Types.message("Empty"));
                    out.onCompleted();
                }))
                .addMethod(Types.method(NAME + "Unary", MethodType.UNARY), ServerCalls.asyncUnaryCall(Service::unary))
                .addMethod(Types.method(NAME + "Sum", MethodType.CLIENT_STREAMING), ServerCalls.asyncClientStreamingCall(Service::sum))
                .addMethod(Types.method(NAME + "Count", MethodType.SERVER_STREAMING), ServerCalls.asyncServerStreamingCall(Service::count))
                .addMethod(Types.method(NAME + "Talk", MethodType.BIDI_STREAMING), ServerCalls.asyncBidiStreamingCall(Service::talk))
                .build();
    }

    public static void main(String[] ports) throws Exception {
        Types.load();
        for (int place = 0; place < ports.length; place++) {
            var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(ports[place]));
            NettyServerBuilder.forAddress(address, place == 0 ? InsecureServerCredentials.create() : certified())
                    .addService(service()).intercept(new Note()).build().start();
        }
        Thread.currentThread().join();
    }

    private static ServerCredentials certified() throws IOException {
        String pem = System.getenv("CERTIFICATE");
        return TlsServerCredentials.create(new File(pem), new File(pem.replaceAll("pem$", "key")));
    }
}
