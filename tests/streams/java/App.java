import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** The app of the suite in Java: calls by the WebSocket of java.net.http. App PORT; FEED is the dependency's host:port. */
public final class App {
    private static final Pattern PRICE = Pattern.compile("\"price\": (\\d+)");

    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/prices", exchange -> {
            String symbol = exchange.getRequestURI().getQuery().replaceFirst(".*symbol=", "");
            String answer;
            int status = 200;
            try {
                answer = "{\"prices\": [" + prices(client, symbol) + "]}";
            } catch (Exception error) {
                answer = error.toString();
                status = 500;
            }
            byte[] bytes = answer.getBytes();
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    private static String prices(HttpClient client, String symbol) throws Exception {
        CompletableFuture<String> done = new CompletableFuture<>();
        WebSocket.Listener listener = new WebSocket.Listener() {
            private final StringBuilder text = new StringBuilder();
            private final StringBuilder prices = new StringBuilder();
            private int heard;

            @Override
            public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
                text.append(data);
                if (last) {
                    var found = PRICE.matcher(text);
                    if (found.find()) {
                        prices.append(prices.isEmpty() ? "" : ", ").append(found.group(1));
                    }
                    text.setLength(0);
                    heard++;
                    if (heard == 1) {
                        socket.sendText("{\"subscribe\": \"" + symbol + "\"}", true);
                    } else if (heard == 4) {
                        socket.sendClose(1000, "enough").thenRun(() -> done.complete(prices.toString()));
                    }
                }
                socket.request(1);
                return null;
            }

            @Override
            public void onError(WebSocket socket, Throwable error) {
                done.completeExceptionally(error);
            }
        };
        client.newWebSocketBuilder().buildAsync(URI.create("ws://" + System.getenv("FEED") + "/feed"), listener);
        return done.get(30, TimeUnit.SECONDS);
    }
}
