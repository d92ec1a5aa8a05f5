import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import graphql.ExecutionInput;
import graphql.GraphQL;
import graphql.schema.idl.RuntimeWiring;
import graphql.schema.idl.SchemaGenerator;
import graphql.schema.idl.SchemaParser;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.javalin.Javalin;
import io.javalin.http.Context;
import io.javalin.http.sse.SseClient;
import io.javalin.websocket.WsMessageContext;
import jakarta.xml.soap.MessageFactory;
import jakarta.xml.soap.SOAPConnectionFactory;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.xml.namespace.QName;

/** The shop in Java: Javalin, java.net.http, grpc-java, SAAJ and graphql-java. Shop PORT; the environment is that of ../shop.py. */
public final class Shop {
    private static final String BUG = System.getenv().getOrDefault("BUG", "");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SCHEMA = "type Query { item(sku: String!): Item! } type Item { sku: String! count: Int! cents: Int }";
    private static final QName TAXES = new QName("urn:taxes", "GetTax", "t");

    private static FileDescriptor types;
    private static Channel inventory;
    private static GraphQL graphql;

    record Order(String sku, int quantity, String country) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Event(String event, long cents, String payment) {}

    record Delivery(int number, String state) {}

    record Stock(String sku, int count, Long cents) {}

    /** What the shop does not sell. */
    static final class Refused extends RuntimeException {
        final int status;

        Refused(int status, String why) {
            super(why);
            this.status = status;
        }
    }

    /** The messages as they are sent on, by a shop that has the defect. */
    private static <T> List<T> spoiled(List<T> messages) {
        List<T> spoiled = new ArrayList<>(messages);
        if (BUG.equals("drops_stream_message")) {
            spoiled.remove(1);
        } else if (BUG.equals("reorders_stream")) {
            Collections.swap(spoiled, 0, 1);
        }
        return spoiled;
    }

    private static MethodDescriptor<DynamicMessage, DynamicMessage> method(String name, MethodType type, String answer) {
        return MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
                .setType(type)
                .setFullMethodName("inventory.Inventory/" + name)
                .setRequestMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(types.findMessageTypeByName("Item"))))
                .setResponseMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(types.findMessageTypeByName(answer))))
                .build();
    }

    private static DynamicMessage item(String sku) {
        Descriptor type = types.findMessageTypeByName("Item");
        return DynamicMessage.newBuilder(type).setField(type.findFieldByName("sku"), sku).build();
    }

    private static Object field(DynamicMessage message, String name) {
        return message.getField(message.getDescriptorForType().findFieldByName(name));
    }

    private static Stock look(String sku) {
        try {
            var stock = ClientCalls.blockingUnaryCall(inventory, method("Look", MethodType.UNARY, "Stock"), CallOptions.DEFAULT, item(sku));
            return new Stock((String) field(stock, "sku"), (int) field(stock, "count"), (Long) field(stock, "cents"));
        } catch (StatusRuntimeException error) {
            String why = error.getStatus().getDescription();
            if (error.getStatus().getCode() != Status.Code.NOT_FOUND || BUG.equals("grpc_status")) {
                throw new Refused(503, "UNAVAILABLE: " + why);
            }
            throw new Refused(404, "NOT_FOUND: " + why);
        }
    }

    /** What a country takes, in cents. */
    private static long tax(String country, long cents) throws Exception {
        var message = MessageFactory.newInstance().createMessage();
        message.getMimeHeaders().addHeader("SOAPAction", "\"urn:taxes/GetTax\"");
        var asked = message.getSOAPBody().addBodyElement(TAXES);
        asked.addChildElement("country", "t").addTextNode(country);
        asked.addChildElement("amount", "t").addTextNode(BigDecimal.valueOf(cents, 2).toPlainString());
        var body = SOAPConnectionFactory.newInstance().createConnection().call(message, System.getenv("TAX") + "/tax").getSOAPBody();
        if (body.hasFault() && BUG.equals("soap_fault")) {
            return 0;
        } else if (body.hasFault()) {
            throw new Refused(422, body.getFault().getFaultString());
        }
        String told = body.getElementsByTagNameNS("urn:taxes", "tax").item(0).getTextContent();
        return new BigDecimal(told).movePointRight(2).longValueExact();
    }

    private static String post(HttpClient client, String url, Object body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(url)).header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body))).build();
        return client.send(request, BodyHandlers.ofString()).body();
    }

    /** What happens to an order. */
    private static List<Event> events(Order asked) throws Exception {
        long priced = look(asked.sku()).cents() * asked.quantity();
        long taxed = priced + tax(asked.country(), priced);
        String paid = post(HttpClient.newHttpClient(), System.getenv("PAYMENTS") + "/charges", Map.of("cents", taxed));
        return List.of(new Event("priced", priced, null), new Event("taxed", taxed, null),
                new Event("paid", taxed, JSON.readTree(paid).get("payment").textValue()));
    }

    private static void orders(WsMessageContext socket) throws Exception {
        if (socket.message().equals("bye")) {
            socket.closeSession(1000, "see you");
            return;
        }
        for (Event event : spoiled(events(JSON.readValue(socket.message(), Order.class)))) {
            socket.send(JSON.writeValueAsString(event));
        }
    }

    private static void deliveries(SseClient client) {
        var told = ClientCalls.blockingServerStreamingCall(inventory, method("Follow", MethodType.SERVER_STREAMING, "Delivery"),
                CallOptions.DEFAULT, item(client.ctx().pathParam("sku")));
        List<Delivery> all = new ArrayList<>();
        told.forEachRemaining(one -> all.add(new Delivery((int) field(one, "number"), (String) field(one, "state"))));
        for (Delivery one : spoiled(all)) {
            client.sendEvent("delivery", one, String.valueOf(one.number()));
        }
        client.close();
    }

    private static void refund(Context context) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        if (BUG.equals("expired_cert_accepted")) {
            SSLContext careless = SSLContext.getInstance("TLS");
            careless.init(null, new TrustManager[] {new Careless()}, null);
            client = HttpClient.newBuilder().sslContext(careless).build();
        }
        try {
            context.json(JSON.readTree(post(client, System.getenv("REFUNDS") + "/refunds", JSON.readTree(context.body()))));
        } catch (IOException error) {
            throw isExpired(error) ? new Refused(502, "certificate has expired") : error;
        }
    }

    private static boolean isExpired(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateExpiredException
                    || cause instanceof CertPathValidatorException path && path.getReason() == CertPathValidatorException.BasicReason.EXPIRED) {
                return true;
            }
        }
        return false;
    }

    /** Accepts every certificate. */
    static final class Careless extends X509ExtendedTrustManager {
        @Override public void checkClientTrusted(X509Certificate[] chain, String type) {}
        @Override public void checkServerTrusted(X509Certificate[] chain, String type) {}
        @Override public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}
        @Override public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}
        @Override public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
        @Override public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
        @Override public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    }

    private static Object item(graphql.schema.DataFetchingEnvironment asked) {
        Stock stock = look(asked.getArgument("sku"));
        return BUG.equals("graphql_null") ? new Stock(stock.sku(), stock.count(), null) : stock;
    }

    private static void ask(Context context) throws IOException {
        var asked = JSON.readTree(context.body());
        @SuppressWarnings("unchecked")
        Map<String, Object> variables = JSON.convertValue(asked.get("variables"), Map.class);
        context.json(graphql.execute(ExecutionInput.newExecutionInput(asked.get("query").textValue()).variables(variables)).toSpecification());
    }

    public static void main(String[] args) throws Exception {
        var described = FileDescriptorSet.parseFrom(Files.readAllBytes(Path.of(System.getenv("DESCRIPTORS"))));
        types = FileDescriptor.buildFrom(described.getFile(0), new FileDescriptor[0]);
        inventory = Grpc.newChannelBuilder(System.getenv("INVENTORY"), TlsChannelCredentials.create()).build();
        var wiring = RuntimeWiring.newRuntimeWiring().type("Query", type -> type.dataFetcher("item", Shop::item)).build();
        graphql = GraphQL.newGraphQL(new SchemaGenerator().makeExecutableSchema(new SchemaParser().parse(SCHEMA), wiring)).build();
        Javalin app = Javalin.create(config -> config.showJavalinBanner = false);
        app.post("/orders", context -> {
            List<Event> told = events(JSON.readValue(context.body(), Order.class));
            context.status(201).json(told.get(told.size() - 1));
        });
        app.ws("/orders", socket -> socket.onMessage(Shop::orders));
        app.sse("/deliveries/{sku}", Shop::deliveries);
        app.post("/refunds", Shop::refund);
        app.post("/graphql", Shop::ask);
        app.exception(Refused.class, (refused, context) -> context.status(refused.status).json(Map.of("refused", refused.getMessage())));
        app.start("127.0.0.1", Integer.parseInt(args[0]));
    }
}
