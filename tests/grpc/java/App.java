import com.sun.net.httpserver.HttpServer;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** An app that calls the service of the suite by grpc-java: `App PORT`. GET /CASE answers what the case saw; the service is at UPSTREAM. */
public final class App {
    private App() {}

    public static void main(String[] words) throws Exception {
        Types.load();
        String target = System.getenv("UPSTREAM");
        ChannelCredentials trust = target.startsWith("https://") ? TlsChannelCredentials.create() : InsecureChannelCredentials.create();
        Cases cases = new Cases(Grpc.newChannelBuilder(target.replace("https://", ""), trust).build());
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 0);
        server.createContext("/", exchange -> {
            String said;
            int status = 200;
            try {
                said = cases.run(exchange.getRequestURI().getPath().substring(1));
            } catch (Exception error) {
                Throwable cause = error;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                said = "failed: " + error + " by " + cause;
                status = 500;
            }
            byte[] body = (said == null ? "no such case" : said).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(said == null ? 404 : status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
