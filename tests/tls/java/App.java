// An app that calls an HTTPS server by Java's own clients; what it does is in app.py.

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.util.Locale;
import javax.net.ssl.HttpsURLConnection;

public final class App {
    static final String CHARGE = "{\"amount\": \"19.90\"}";

    static String byHttpClient(String url) throws IOException, InterruptedException {
        var client = HttpClient.newHttpClient();
        var item = HttpRequest.newBuilder(URI.create(url + "/item")).build();
        var paid = HttpRequest.newBuilder(URI.create(url + "/charges"))
                .POST(HttpRequest.BodyPublishers.ofString(CHARGE)).build();
        return client.send(item, BodyHandlers.ofString()).body() + "\n" + client.send(paid, BodyHandlers.ofString()).body();
    }

    static String byConnection(String url) throws IOException {
        var connection = (HttpsURLConnection) new URL(url + "/item").openConnection();
        try (var body = connection.getInputStream()) {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    static String why(Throwable error) {
        String kind = error.getClass().getSimpleName();
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertPathValidatorException path) {
                kind = "path " + path.getReason();
            } else if (cause instanceof CertificateException) {
                kind = cause.getClass().getSimpleName();
            }
        }
        return "failed: " + kind;
    }

    public static void main(String[] words) throws IOException {
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 0);
        server.createContext("/", exchange -> {
            String[] path = exchange.getRequestURI().getPath().split("/");
            String url = System.getenv(path[2].toUpperCase(Locale.ROOT) + "_URL");
            String said;
            try {
                said = path[1].equals("http-client") ? byHttpClient(url) : byConnection(url);
            } catch (IOException | InterruptedException error) {
                said = why(error);
            }
            byte[] body = said.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
