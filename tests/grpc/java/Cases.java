import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** The cases of the suite by grpc-java: each returns a line that says what it saw. */
final class Cases {
    static final Metadata.Key<String> INITIAL = Metadata.Key.of("x-suite-initial", Metadata.ASCII_STRING_MARSHALLER);
    static final Metadata.Key<byte[]> TRAILING = Metadata.Key.of("x-suite-trailing-bin", Metadata.BINARY_BYTE_MARSHALLER);
    private static final int LIMIT = 20_000;
    private static final int[] SIZES = {31415, 9, 2653, 58979};
    private static final int[] SENT = {27182, 8, 1828, 45904};
    private final Channel channel;

    Cases(Channel channel) {
        this.channel = channel;
    }

    /** One call, whose answers are taken one by one. */
    private final class Call extends ClientCall.Listener<DynamicMessage> {
        private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();
        private final ClientCall<DynamicMessage, DynamicMessage> call;
        Metadata head;
        Metadata tail;
        Status status;

        Call(String method, MethodType type, CallOptions options, Metadata sent) {
            call = channel.newCall(Types.method(method, type), options);
            call.start(this, sent);
            call.request(Integer.MAX_VALUE);
        }

        Call(String method, MethodType type) {
            this("interop.Interop/" + method, type, within(LIMIT), new Metadata());
        }

        @Override
        public void onHeaders(Metadata received) {
            events.add(received);
        }

        @Override
        public void onMessage(DynamicMessage received) {
            events.add(received);
        }

        @Override
        public void onClose(Status ended, Metadata received) {
            tail = received;
            events.add(ended);
        }

        Call say(DynamicMessage... asked) {
            for (DynamicMessage one : asked) {
                call.sendMessage(one);
            }
            return this;
        }

        Call end() {
            call.halfClose();
            return this;
        }

        void begun() throws InterruptedException {
            head = (Metadata) events.take();
        }

        /** The next answer; null when the call has ended. */
        DynamicMessage next() throws InterruptedException {
            while (status == null) {
                Object event = events.take();
                if (event instanceof DynamicMessage answer) {
                    return answer;
                } else if (event instanceof Metadata received) {
                    head = received;
                } else {
                    status = (Status) event;
                }
            }
            return null;
        }

        /** The next answer, of which there must be one. */
        DynamicMessage one() throws InterruptedException {
            DynamicMessage answer = next();
            if (answer == null) {
                throw status.asRuntimeException(tail);
            }
            return answer;
        }

        List<Integer> sizes() throws InterruptedException {
            List<Integer> sizes = new ArrayList<>();
            for (DynamicMessage answer = next(); answer != null; answer = next()) {
                sizes.add(Types.body(answer));
            }
            return sizes;
        }

        String ended() throws InterruptedException {
            sizes();
            var found = StatusProto.fromStatusAndTrailers(status, tail);
            return status.getCode() + " '" + status.getDescription() + "' with " + found.getDetailsCount() + " details";
        }
    }

    private static CallOptions within(int milliseconds) {
        return CallOptions.DEFAULT.withDeadlineAfter(milliseconds, TimeUnit.MILLISECONDS);
    }

    private static DynamicMessage request(int size, Object... fields) {
        Object[] all = new Object[fields.length + 2];
        all[0] = "payload";
        all[1] = Types.payload(size, "");
        System.arraycopy(fields, 0, all, 2, fields.length);
        return Types.message("Request", all);
    }

    private static Message wanted(int size, boolean compressed) {
        return Types.message("Wanted", "size", size, "compressed", compressed);
    }

    private static Message status(int code, String message) {
        return Types.message("EchoStatus", "code", code, "message", message);
    }

    private Call unary(DynamicMessage asked) {
        return new Call("Unary", MethodType.UNARY).say(asked).end();
    }

    private String pingPong() throws InterruptedException {
        Call talk = new Call("Talk", MethodType.BIDI_STREAMING);
        List<Integer> seen = new ArrayList<>();
        for (int place = 0; place < SIZES.length; place++) {
            talk.say(request(SENT[place], "wanted", List.of(wanted(SIZES[place], false))));
            seen.add(Types.body(talk.one()));
        }
        seen.addAll(talk.end().sizes());
        return seen.toString();
    }

    private String metadata() throws InterruptedException {
        Metadata sent = new Metadata();
        sent.put(INITIAL, "first");
        sent.put(TRAILING, new byte[] {(byte) 0xab, (byte) 0xab, (byte) 0xab});
        Call call = new Call("interop.Interop/Unary", MethodType.UNARY, within(LIMIT), sent).say(request(0)).end();
        call.sizes();
        return call.head.get(INITIAL) + " " + call.tail.get(TRAILING).length;
    }

    private String afterBegin() throws InterruptedException {
        Call sum = new Call("Sum", MethodType.CLIENT_STREAMING);
        sum.begun();
        sum.call.cancel("enough", null);
        sum.sizes();
        return sum.status.getCode().toString();
    }

    private String afterFirst() throws InterruptedException {
        Call talk = new Call("Talk", MethodType.BIDI_STREAMING).say(request(27182, "wanted", List.of(wanted(31415, false))));
        int size = Types.body(talk.one());
        talk.call.cancel("enough", null);
        talk.sizes();
        return size + " then " + talk.status.getCode();
    }

    private String late() throws InterruptedException {
        Call talk = new Call("interop.Interop/Talk", MethodType.BIDI_STREAMING, within(200), new Metadata()).say(request(27182));
        talk.sizes();
        return talk.status.getCode().toString();
    }

    private String compressed() throws InterruptedException {
        Call call = new Call("interop.Interop/Unary", MethodType.UNARY, within(LIMIT).withCompression("gzip"), new Metadata());
        call.call.setMessageCompression(true);
        return Types.get(call.say(request(2000)).end().one(), "total").toString();
    }

    private Call count(Message... wanted) {
        return new Call("Count", MethodType.SERVER_STREAMING).say(request(0, "wanted", List.of(wanted))).end();
    }

    /** What a case says; null when there is no such case. */
    String run(String name) throws InterruptedException {
        return switch (name) {
            case "empty_unary" -> "empty: " + (new Call("Nothing", MethodType.UNARY).say(Types.message("Empty")).end().one().getSerializedSize() == 0);
            case "large_unary" -> {
                DynamicMessage answer = unary(request(271828, "wanted", List.of(wanted(314159, false)))).one();
                yield Types.body(answer) + " " + Types.get(answer, "total");
            }
            case "client_streaming" -> {
                DynamicMessage[] asked = IntStream.of(SENT).mapToObj(Cases::request).toArray(DynamicMessage[]::new);
                yield Types.get(new Call("Sum", MethodType.CLIENT_STREAMING).say(asked).end().one(), "total").toString();
            }
            case "server_streaming" -> count(IntStream.of(SIZES).mapToObj(size -> wanted(size, false)).toArray(Message[]::new)).sizes().toString();
            case "ping_pong" -> pingPong();
            case "empty_stream" -> new Call("Talk", MethodType.BIDI_STREAMING).end().sizes().toString();
            case "custom_metadata" -> metadata();
            case "status_code_and_message" -> unary(request(0, "status", status(2, "\t\ntest with white space\r\nand Unicode ☺\t\n"))).ended()
                    + "; " + new Call("Talk", MethodType.BIDI_STREAMING).say(request(0, "status", status(9, "in a stream"))).ended();
            case "not_found" -> unary(request(0, "status", status(5, "no such order"))).ended();
            case "unimplemented" -> new Call("Missing", MethodType.UNARY).say(Types.message("Empty")).end().ended();
            case "unimplemented_service" ->
                    new Call("interop.Nowhere/Missing", MethodType.UNARY, within(LIMIT), new Metadata()).say(Types.message("Empty")).end().ended();
            case "client_compressed_unary" -> compressed();
            case "server_compressed_unary" -> unary(request(0, "wanted", List.of(wanted(314159, true)))).sizes() + ""
                    + unary(request(0, "wanted", List.of(wanted(314159, false)))).sizes();
            case "server_compressed_streaming" -> count(wanted(31415, true), wanted(92653, false)).sizes().toString();
            case "cancel_after_begin" -> afterBegin();
            case "cancel_after_first_response" -> afterFirst();
            case "timeout" -> late();
            default -> null;
        };
    }
}
